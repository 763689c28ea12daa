/**
 * Build the vendored bundle of the page, or compare it with what is committed.
 *
 *   npm ci && npm run build     write ../static/vendor
 *   npm ci && npm run check     exit with 1 unless a fresh build equals ../static/vendor, byte for byte
 *
 * The versions are pinned by package-lock.json, so that everybody gets the same bytes.
 */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const VENDOR = join(HERE, "..", "static", "vendor");
const PACKAGES = ["preact", "@sabaki/shudan", "classnames", "@sabaki/go-board"];

/** Leave out Shudan's pictures of wood and stones: the page draws its own. */
const withoutPictures = {
  name: "without pictures",
  setup(/** @type {import("esbuild").PluginBuild} */ { onLoad }) {
    onLoad({ filter: /goban\.css$/ }, async ({ path }) => {
      const css = await readFile(path, "utf8");
      return { contents: css.replace(/url\('\.\/[^']+'\)/g, "none"), loader: "css" };
    });
  },
};

/** @returns {Promise<Map<string, string>>} the files of the bundle by name */
async function bundle() {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: { goban: "entry.js" },
    outdir: "out",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    write: false,
    plugins: [withoutPictures],
  });
  const files = new Map(result.outputFiles.map((file) => [file.path.split(/[\\/]/).pop() ?? "", file.text]));
  files.set("LICENSES.txt", await licences());
  return files;
}

/** @returns {Promise<string>} name, version and licence of every package in the bundle */
async function licences() {
  const texts = PACKAGES.map(async (name) => {
    const folder = join(HERE, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = await readFile(join(folder, "LICENSE"), "utf8");
    return `${name} ${version} (${license})\n\n${text.replace(/\r\n/g, "\n").trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(72)}\n\n`);
}

const files = await bundle();
if (process.argv.includes("--check")) {
  const wrong = [];
  for (const [name, text] of files) {
    const committed = await readFile(join(VENDOR, name), "utf8").catch(() => null);
    if (committed !== text) wrong.push(name);
  }
  if (wrong.length) {
    console.error(`static/vendor differs from a fresh build in ${wrong.join(", ")}: npm run build`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of files) await writeFile(join(VENDOR, name), text);
}
