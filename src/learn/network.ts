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
 *
 * Arithmetic is float32 throughout, constants rounded to float32 first, except where a date is said to be float64. Missing in a
 * numeric input is NaN; "not finite" is NaN or an infinity. Every encoder gives finite numbers for every input.
 */
export type Encoder =
  | PiecewiseEncoder | StandardEncoder | FlagEncoder | OneHotEncoder | CycleEncoder | BagEncoder | WindowEncoder | HorizonEncoder;

/**
 * Piecewise linear encoding (Gorishniy et al., 2022, "On Embeddings for Numerical Features in Tabular Deep Learning"):
 * for a number, date or boolean input, width = edges.length - 1 + 1, at least 2. Edges increase strictly in float32. With
 * d = x - edges[0] and e[j] = edges[j] - edges[0] (both subtractions in float64 for a date, then d and e rounded to float32;
 * for a number d = x and e[j] = edges[j], in float32), entry j is clip((d - e[j]) / (e[j+1] - e[j]), 0, 1);
 * the last entry is 1 when x is missing (NaN), and then the others are 0. Infinities clip to 0 or 1.
 */
export interface PiecewiseEncoder { kind: 'piecewise'; input: string; from: 'number' | 'date'; edges: number[] }

/**
 * (clip(x, low, high) - mean) / deviation, dimension by dimension; missing (NaN) is 0. For number and vector inputs; width = mean.length.
 * Deviation is at least 1e-6; an infinity clips.
 */
export interface StandardEncoder { kind: 'standard'; input: string; mean: number[]; deviation: number[]; low: number[]; high: number[] }

/** Width 2: [x > 0.5, x <= 0.5]; missing is [0, 0]. For boolean inputs. */
export interface FlagEncoder { kind: 'flag'; input: string }

/** Width = values.length, at least 1: 1 where the category is that value; a category never seen is all zeros. Missing is the value "". */
export interface OneHotEncoder { kind: 'onehot'; input: string; values: string[] }

/**
 * Width = 2 * harmonics: sin(k p), cos(k p) for k = 1..harmonics, in the order sin 1, cos 1, sin 2, cos 2 ...; x a date in days;
 * p = fmod(x, periodDays) * (2 pi / periodDays) in float64, then rounded to float32 (fmod has the sign of x). Not finite is 0.
 */
export interface CycleEncoder { kind: 'cycle'; input: string; periodDays: number; harmonics: number }

/**
 * A weighted, L2-normalised bag of tokens times a trained table [members, tokens, units]: width = units.
 * Text (`split`) is cut into tokens by `tokenise` (learn/tokens.ts); otherwise the category is one token, taken as it is, "" when
 * missing. `ids` maps a token as it appears in the text to its row of the table (several may share a row); tokens not in it are left
 * out; an empty bag is 0. `idf` has one positive entry a row of the table.
 * y = sum(idf[id] * table[id]) / sqrt(sum(idf[id]^2)), over the tokens with repetition.
 */
export interface BagEncoder {
  kind: 'bag'; input: string; split: boolean; ids: Record<string, number>; idf: number[]; table: string; units: number;
}

/**
 * Forecasts: the input is [rows, context], oldest first, missing where not finite; after the scale (log10(1 + max(x, 0)) or as it is)
 * it is normalised by the row's own level (mean of the present values among the last `levelOver` positions; of all present values when
 * those are all missing; 0 when all are) and spread (mean absolute deviation from the level over all present values, 0 when there are
 * none; then at least `minSpread`). Width = context: (x - level) / spread; missing is 0. The head undoes it with the same level and spread.
 */
export interface WindowEncoder {
  kind: 'window'; input: string; scale: 'linear' | 'log10'; context: number; levelOver: number; minSpread: number;
}

/** Forecasts: a known-ahead input [rows, horizon]: (clip(x, low, high) - mean) / deviation; missing (NaN) is 0. Width = horizon. */
export interface HorizonEncoder {
  kind: 'horizon'; input: string; horizon: number; mean: number; deviation: number; low: number; high: number;
}

/** What the last layer's output [members, rows, units] means. Means are over members. */
export type Head =
  /** z = (mean over members) * `deviation` + `mean`; value = unscale(z), low = unscale(z + lowOffset), high = unscale(z + highOffset). */
  | { kind: 'regression'; scale: 'linear' | 'log10'; mean: number; deviation: number; lowOffset: number; highOffset: number }
  /** probabilities = mean of softmax(logits / temperature); label = the likeliest class; probability = its probability. */
  | { kind: 'classification'; classes: string[]; temperature: number }
  /** Each member's output is L2-normalised, x / max(|x|, 1e-6); vector = their mean, L2-normalised in the same way. */
  | { kind: 'embedding'; dimensions: number }
  /** z_h = level + spread * mean_h; value_h = unscale(z_h); low_h = unscale(z_h + spread * lowOffset_h), and high_h likewise. Level and
   * spread are those of the window encoder whose input is `window`. Offsets low <= 0 <= high. */
  | { kind: 'forecast'; window: string; scale: 'linear' | 'log10'; horizon: number; lowOffset: number[]; highOffset: number[] };

/**
 * The ONNX file's inputs and outputs. Inputs, by feature type: number, boolean: float32 [N, 1], missing NaN;
 * date: float64 [N, 1], days since 1970, missing NaN; category, text: string [N, 1], missing ""; vector: float32 [N, width], missing NaN.
 * ONNX Runtime's Node binding ends a string at its first NUL. A text that is split needs at least one row; no input may have an
 * output's name.
 * A forecast reads `history` float32 [N, context], `start` float64 [N, 1] (the first period forecast), its series' name as a category
 * where there are several, and each known-ahead input as float32 [N, horizon].
 *
 * Outputs: regression `value`, `low`, `high` float32 [N, 1]; classification `probabilities` float32 [N, classes], `label` string [N, 1],
 * `probability` float32 [N, 1]; embedding `vector` float32 [N, dimensions]; forecast `value`, `low`, `high` float32 [N, horizon].
 *
 * unscale(z) of log10 is 10^z for a regression (targets must be positive), 10^z - 1, at least 0, for a forecast.
 * There z is clipped to [-30, 30] first, so that the output is finite in float32.
 */
export const HISTORY = 'history';
export const START = 'start';
