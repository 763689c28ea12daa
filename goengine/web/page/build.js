/**
 * Build the vendored bundle of the page and the list of our modules in index.html, or compare both
 * with what is committed.
 *
 *   npm ci && npm run build     write ../static/vendor and ../static/index.html
 *   npm ci && npm run check     exit with 1 unless a fresh build equals them, byte for byte
 *
 * The list lets the browser fetch all modules at once instead of one level of imports after the other.
 * The versions are pinned by package-lock.json, so that everybody gets the same bytes.
 */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const STATIC = join(HERE, "..", "static");
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

/**
 * @param {string} name a module, from the static folder
 * @param {Set<string>} [found]
 * @returns {Promise<Set<string>>} it and all that it imports, but for what it imports when needed
 */
async function modules(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  const text = await readFile(join(STATIC, name), "utf8");
  if (name.startsWith("vendor/")) return found;
  for (const [, target = ""] of text.matchAll(/^(?:import|} from|import .* from) "(\.[^"]+)";$/gm)) {
    await modules(join(dirname(name), target).replaceAll("\\", "/"), found);
  }
  return found;
}

/** @returns {Promise<string>} index.html with the list of modules as it is now */
async function index() {
  const page = await readFile(join(STATIC, "index.html"), "utf8");
  const names = [...(await modules("js/main.js"))].filter((name) => name !== "js/main.js").sort();
  const links = names.map((name) => `    <link rel="modulepreload" href="static/${name}">\n`);
  return page
    .replace(/ *<link rel="modulepreload"[^>]*>\n/g, "")
    .replace(/ *<script type="module"/, (script) => links.join("") + script);
}

const files = new Map(
  [...(await bundle())].map(([name, text]) => [join("vendor", name), text]),
);
files.set("index.html", await index());
if (process.argv.includes("--check")) {
  const wrong = [];
  for (const [name, text] of files) {
    const committed = await readFile(join(STATIC, name), "utf8").catch(() => null);
    if (committed !== text) wrong.push(name);
  }
  if (wrong.length) {
    console.error(`static differs from a fresh build in ${wrong.join(", ")}: npm run build`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of files) await writeFile(join(STATIC, name), text);
}
