/** The messages between page and server; win rates and leads are Black's. */

export type Colour = "B" | "W";
/** A GTP word: "D4" or "pass". */
export type Word = string;
export type NodeId = string;

export type Player =
  | { kind: "human"; name?: string }
  | { kind: "engine"; network?: string; visits?: number; seconds?: number; rank?: string };

export type ClockSetting =
  | { main: number }
  | { main: number; byo_yomi: number; periods: number }
  | { main: number; fischer: number }
  | { main: number; byo_yomi: number; canadian_stones: number };

export type Values = {
  winrate: number;
  lead: number;
  visits?: number;
  lost?: number;
  best?: Word;
  pv?: Word[];
  candidates?: Candidate[];
};

export type Node = {
  parent: NodeId | null;
  children: NodeId[];
  move?: [Colour, Word];
  setup?: { B?: Word[]; W?: Word[]; E?: Word[] };
  to_play?: Colour;
  comment?: string;
  marks?: Record<Word, string>;
  name?: string;
  values?: Values;
};

export type Nodes = Record<NodeId, Node>;
export type Tree = { root: NodeId; nodes: Nodes };

export type Remaining = { main: number; period: number; periods?: number; stones?: number };
/** Times at the beginning of the running turn; `now - at` seconds of it were gone when it was sent. */
export type Clock = {
  B: Remaining;
  W: Remaining;
  running: Colour | null;
  at: number;
  now: number;
  settings: { kind: string; period: number; periods: number; stones: number };
};

export type Notice = { key?: string; text: string; args?: Record<string, string | number> };

export type Points = {
  territory?: number;
  area?: number;
  prisoners: number;
  komi?: number;
  handicap?: number;
};
export type Count = {
  dead: Word[];
  area: number[];
  score: string;
  breakdown?: Record<Colour, Points>;
};

export type Table = {
  version: number;
  tree: Tree;
  cursor: NodeId;
  players: Record<Colour, Player>;
  to_play: Colour;
  rules: string;
  komi: number;
  size: number;
  handicap: number;
  head: NodeId;
  playing: boolean;
  name?: string;
  thinking: boolean;
  analysing: { on: boolean; visits?: number };
  result: string | null;
  reason?: string | null;
  captures: Record<Colour, number>;
  clock: Clock | null;
  counting: Count | null;
  /** The accepted count, and the node that it belongs to. */
  counted?: (Count & { node: NodeId }) | null;
  /** Whether engines that play each other wait. */
  paused?: boolean;
  notices: (Notice | string)[];
  seen?: number;
};

export type TablePatch = Partial<Omit<Table, "tree">> & {
  version: number;
  nodes?: Record<NodeId, Node | null>;
};

export type Rules = { name: string; title: string; komi: number };

export type Hello = {
  version: string;
  network: string | null;
  networks: string[];
  ranks: string[];
  rules: Rules[];
  sizes: [number, number];
  ready: boolean;
};

export type Starting = {
  stage: string;
  text: string;
  first?: boolean;
  seconds_left?: number;
  done?: number;
};

export type Candidate = {
  move: Word;
  order: number;
  visits: number;
  winrate: number;
  lead: number;
  lost: number;
  prior: number;
  lcb?: number;
  pv: Word[];
};

export type Analysis = {
  node: NodeId;
  visits: number;
  winrate: number | null;
  lead: number | null;
  deviation?: number;
  candidates: Candidate[];
  ownership?: number[];
  policy?: number[];
  done?: boolean;
};

export type Hint = { node: NodeId; move: Word; pv: Word[]; winrate: number; lead: number };

export type Mistake = {
  node: NodeId;
  number: number;
  colour: Colour;
  move: Word;
  best: Word | null;
  lost: number;
  pv?: Word[];
};

export type Review = {
  done: number;
  total: number;
  running: boolean;
  summary?: {
    B: { accuracy?: number; mean_lost?: number };
    W: { accuracy?: number; mean_lost?: number };
    mistakes: Mistake[];
  };
};

export type Plane = { index: number; title: string; text: string; bits: number[] };
/** `first` is what the first plane of a one-hot group stands for. */
export type PlaneGroup = {
  name: string;
  title: string;
  text: string;
  first: number;
  planes: Plane[];
};
export type Planes = {
  node: NodeId;
  size: number;
  groups: PlaneGroup[];
  answer: {
    policy: number[];
    winrate: number | null;
    lead: number | null;
    ownership: number[] | null;
    top: { move: Word; prior: number }[];
  } | null;
};

export type Sgf = { name: string; text: string };
export type Failure = Notice & { about?: string; seq?: number };

export type Message =
  | ({ event: "hello" } & Hello)
  | ({ event: "starting" } & Starting)
  | ({ event: "table" } & Table)
  | ({ event: "tree_patch" } & TablePatch)
  | ({ event: "analysis" } & Analysis)
  | ({ event: "hint" } & Hint)
  | ({ event: "review" } & Review)
  | ({ event: "planes" } & Planes)
  | ({ event: "sgf" } & Sgf)
  | ({ event: "error" } & Failure)
  | ({ event: "notice" } & Notice);

/** A request of the page; the server's fields beside "do" depend on it. */
export type Request = { do: string; seq?: number } & Record<string, unknown>;
