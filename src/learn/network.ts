/**
 * A network as a plain value: what it reads, how it computes, and its weights. `train` fills in the weights with
 * TensorFlow.js, `onnx` writes the same computation as an ONNX graph; neither knows the other.
 *
 * A network is an ensemble: `members` networks of one shape, side by side along the first axis of every weight, member m
 * trained without the rows of fold m. Their mean predicts; each one alone gives the cross-fitted outputs of its fold.
 *
 *   raw columns -> encoders -> one block of numbers a row -> dense layers (per member) -> head -> outputs
 */
export interface Network {
  members: number;
  encoders: Encoder[];
  /** Dense layers in order; the last one's width is the head's. */
  layers: Dense[];
  /** A linear layer straight from the encoded block to the head, added to the last layer's output. */
  skip?: Dense;
  head: Head;
  weights: Weights;
}

/** Row-major. */
export interface Weight { shape: number[]; data: Float32Array }
export type Weights = Record<string, Weight>;

/**
 * y = activation(x . kernel + bias), per member: x [members, rows, in], kernel [members, in, out], bias [members, 1, out].
 * `kernel` and `bias` name entries of `weights`.
 */
export interface Dense { kernel: string; bias: string; units: number; activation: 'relu' | 'none' }

/**
 * How one raw input becomes numbers. Fixed encoders are fitted before training and are the same for all members;
 * `bag` is trained. Blocks are concatenated in the order of the encoders.
 */
export type Encoder = PiecewiseEncoder | StandardEncoder | FlagEncoder | OneHotEncoder | CycleEncoder | BagEncoder | WindowEncoder | HorizonEncoder;

/**
 * Piecewise linear encoding (Gorishniy et al., 2022, "On Embeddings for Numerical Features in Tabular Deep Learning"):
 * for a number, date or boolean input, width = edges.length - 1 + 1. Entry j is clip((x - edges[j]) / (edges[j+1] - edges[j]), 0, 1);
 * the last entry is 1 when x is missing (NaN), and then the others are 0.
 */
export interface PiecewiseEncoder { kind: 'piecewise'; input: string; from: 'number' | 'date'; edges: number[] }

/** (clip(x, low, high) - mean) / deviation, dimension by dimension; missing (NaN) is 0. For number and vector inputs; width = mean.length. */
export interface StandardEncoder { kind: 'standard'; input: string; mean: number[]; deviation: number[]; low: number[]; high: number[] }

/** Width 2: [x = 1, x = 0]; missing is [0, 0]. For boolean inputs. */
export interface FlagEncoder { kind: 'flag'; input: string }

/** Width = values.length: 1 where the category is that value; a category never seen is all zeros. Missing is the value "". */
export interface OneHotEncoder { kind: 'onehot'; input: string; values: string[] }

/** Width = 2 * harmonics: sin, cos of 2 pi k x / period for k = 1..harmonics, x a date in days; missing is 0. */
export interface CycleEncoder { kind: 'cycle'; input: string; periodDays: number; harmonics: number }

/**
 * A weighted, L2-normalised bag of tokens times a trained table [members, tokens + 0, units]: width = units.
 * Text is cut into tokens by `tokenise` (learn/tokens.ts); a category is one token, taken as it is. `ids` maps a token as it
 * appears in the text to its row of the table (several may share a row); tokens not in it are left out; an empty bag is 0.
 * y = sum(idf[id] * table[id]) / sqrt(sum(idf[id]^2)), over the tokens with repetition.
 */
export interface BagEncoder { kind: 'bag'; input: string; split: boolean; ids: Record<string, number>; idf: number[]; table: string; units: number }

/**
 * Forecasts: the input is [rows, context], oldest first, missing NaN; after the scale (log10(1 + max(x, 0)) or as it is) it is
 * normalised by the row's own level (mean of the last `levelOver` present values; of all present ones when those are missing)
 * and spread (mean absolute deviation from the level over all present ones, at least `minSpread`).
 * Width = context: (x - level) / spread; missing is 0. The head undoes it with the same level and spread.
 */
export interface WindowEncoder { kind: 'window'; input: string; scale: 'linear' | 'log10'; context: number; levelOver: number; minSpread: number }

/** Forecasts: a known-ahead input [rows, horizon], standardised; missing is 0. Width = horizon. */
export interface HorizonEncoder { kind: 'horizon'; input: string; horizon: number; mean: number; deviation: number }

/** What the last layer's output [members, rows, units] means. Means are over members. */
export type Head =
  /** z = mean * deviation + mean0; value = unscale(z), low = unscale(z + lowOffset), high = unscale(z + highOffset). */
  | { kind: 'regression'; scale: 'linear' | 'log10'; mean: number; deviation: number; lowOffset: number; highOffset: number }
  /** probabilities = mean of softmax(logits / temperature); label = the likeliest class; probability = its probability. */
  | { kind: 'classification'; classes: string[]; temperature: number }
  /** vector = mean, L2-normalised. */
  | { kind: 'embedding'; dimensions: number }
  /** z_h = level + spread * mean_h; value_h = unscale(z_h); low_h = unscale(z_h + spread * lowOffset_h), and high_h likewise. */
  | { kind: 'forecast'; window: string; scale: 'linear' | 'log10'; horizon: number; lowOffset: number[]; highOffset: number[] };

/**
 * The ONNX file's inputs and outputs. Inputs, by feature type: number, boolean: float32 [N, 1], missing NaN;
 * date: float64 [N, 1], days since 1970, missing NaN; category, text: string [N, 1], missing ""; vector: float32 [N, width], missing NaN.
 * A forecast reads `history` float32 [N, context], `start` float64 [N, 1] (the first period forecast), its series' name as a category
 * where there are several, and each known-ahead input as float32 [N, horizon].
 *
 * Outputs: regression `value`, `low`, `high` float32 [N, 1]; classification `probabilities` float32 [N, classes], `label` string [N, 1],
 * `probability` float32 [N, 1]; embedding `vector` float32 [N, dimensions]; forecast `value`, `low`, `high` float32 [N, horizon].
 *
 * unscale(z) of log10 is 10^z for a regression (targets must be positive), 10^z - 1, at least 0, for a forecast.
 */
export const HISTORY = 'history';
export const START = 'start';
