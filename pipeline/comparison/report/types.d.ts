/** What the scripts share: the shapes of the payload and of what is chosen. */

type Value = string | number | boolean | null;
type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array | Uint16Array;

interface HeadRow {
  class: string;
  dead?: boolean;
  saturated?: boolean;
  [metric: string]: Value | undefined;
}

/** One point. values: of the keys; row: its row of the summary; vectors, kernels: whether their blocks are in the file.
 * scale: what a stored pixel is divided by before it reaches the heads. */
interface PointRow {
  name: string;
  values: Value[];
  settings: Record<string, Value>;
  metrics: Record<string, number | null>;
  heads: HeadRow[];
  record: string;
  trajectory: string;
  iterations: number;
  row: number;
  vectors: boolean;
  kernels: boolean;
  scale: number | null;
}

/** A row of the summary: points that differ in nothing but what is repeated. */
interface SummaryRow {
  values: Value[];
  means: Record<string, number | null>;
  deviations: Record<string, number | null>;
  points: number[];
}

/** count: images that vectors are of; pictures: the first of them that have theirs, whose size and scale are then there. */
interface Images {
  split: string;
  count: number;
  pictures: number;
  height?: number;
  width?: number;
  scale?: number;
}

/** The payload's head. keys: swept settings, repeats included; axes: which of them goes where in the grid. */
interface Payload {
  title: string;
  keys: string[];
  short: Record<string, string>;
  axes: { down: string; across: string | null; pages: string[] };
  repeats: string[];
  metric: string;
  metrics: string[];
  classes: string[];
  best: number;
  points: PointRow[];
  rows: SummaryRow[];
  images: Images;
  left_out: string[];
}

/** Images that were chosen: by what A and B say, by a cell of a confusion matrix, by a bin. of: whose answers, margins, y-hat. */
interface ChosenSet {
  kind: "all" | "a_right" | "b_right" | "disagree" | "both_wrong" | "cell" | "class" | "margin" | "calibration";
  of?: "a" | "b";
  target?: number;
  answer?: number;
  low?: number;
  high?: number;
}

/** What everything is linked to. a, b: indices of points; image: a row of the block "image"; head: a class's index; filter:
 * which points are looked at. */
interface State {
  readonly a: number;
  readonly b: number;
  readonly metric: string;
  readonly head: number;
  readonly image: number | null;
  readonly set: ChosenSet;
  readonly filter: string;
}

/** A part of the page. make: once, when it comes into sight; update: then, and whenever something else is chosen (before: what
 * was chosen until now, null the first time). */
interface View {
  id: string;
  title: string;
  make(root: HTMLElement): void;
  update(state: State, before: State | null): void | Promise<void>;
}

interface Block {
  shape: number[];
  data: Numbers;
}

/** A point's y-hat vectors, row by row, and what they say of each image. answer: -1 where the point lacks the image. */
interface Judged {
  y_hat: Numbers;
  target: Numbers;
  answer: Int32Array;
  margin: Float64Array;
  confidence: Float64Array;
  classes: number;
  images: number;
}

/** complaint: what of the text was not understood. */
interface Filtered {
  points: Set<number>;
  complaint: string;
}

type Attributes = Record<string, unknown>;
type Child = Node | string | number | null | undefined | false;
type Colour = readonly [number, number, number];

/** height x width numbers, row by row. */
interface Matrix {
  data: Numbers;
  height: number;
  width: number;
}

/** A point's heads: kernel (C, F, k, k), bias (C, F), weights (C, F, P, Q), bias_flat (C,). */
interface Heads {
  kernel: Block;
  bias: Block;
  weights: Block;
  bias_flat: Block;
}

/** What one head sees of an image, a matrix for each of its kernels. winners: where each pooled number stands in the map. */
interface Seen {
  maps: Matrix[];
  pooled: Matrix[];
  winners: Int32Array[];
  products: Matrix[];
  logit: number;
  y_hat: number;
}

/** What A and B say of each image. image: indices into the data. apart: the distance of the two vectors. */
interface Pair {
  a: Judged;
  b: Judged;
  image: Numbers;
  apart: Float64Array;
}

/** An image as A's and B's heads see it. row: of the block "image". number: its index in the data. recorded: its y-hat vector as the record has it. */
interface Looked {
  picture: Matrix;
  row: number;
  number: number;
  target: number;
  a: LookedBy;
  b: LookedBy;
}

interface LookedBy {
  index: number;
  seen(head: number): Seen;
  recorded: Numbers;
  heads: Heads;
}
