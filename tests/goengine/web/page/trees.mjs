/** Small tables for the tests of the page's modules. */

/**
 * A table whose moves are given as lines: each line begins at the root and shares what it can.
 *
 * @param {string[]} lines such as "B D4 W Q16 B pass"
 * @param {object} [more] fields of the table
 */
export function tableOf(lines, more = {}) {
  const nodes = { 0: { parent: null, children: [] } };
  let made = 0;
  for (const line of lines) {
    const words = line.split(" ").filter(Boolean);
    let at = "0";
    for (let i = 0; i < words.length; i += 2) {
      const move = [words[i], words[i + 1]];
      const there = nodes[at].children.find((id) => nodes[id].move.join() === move.join());
      if (there) {
        at = there;
        continue;
      }
      made += 1;
      const id = String(made);
      nodes[id] = { parent: at, children: [], move };
      nodes[at].children.push(id);
      at = id;
    }
  }
  return {
    version: 1,
    tree: { root: "0", nodes },
    cursor: "0",
    players: { B: { kind: "human" }, W: { kind: "engine", visits: 50 } },
    to_play: "B",
    size: 9,
    head: "0",
    playing: true,
    thinking: false,
    result: null,
    counting: null,
    notices: [],
    analysing: { on: false },
    ...more,
  };
}
