import type { Environment } from '@marcbachmann/cel-js';

/** The functions an expression may call: those of CEL that are bounded and the same everywhere, and those added here. */
export const EXPRESSION_FUNCTIONS = {
  functions: new Set([
    'has', 'size', 'string', 'double', 'int', 'bool', 'dyn', 'type', 'timestamp', 'duration',
    'abs', 'min', 'max', 'round', 'floor', 'ceil', 'sqrt', 'exp', 'log', 'log10', 'exp10', 'pow',
  ]),
  methods: new Set([
    'all', 'exists', 'exists_one', 'map', 'filter', 'bind', 'size', 'contains', 'startsWith', 'endsWith', 'lowerAscii', 'upperAscii',
    'trim', 'indexOf', 'lastIndexOf', 'substring', 'split', 'join', 'getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek',
    'getHours', 'getMinutes', 'getSeconds', 'getMilliseconds',
  ]),
  loops: new Set(['all', 'exists', 'exists_one', 'map', 'filter']),
  /** Their arguments are positions. */
  wholeNumbers: new Set(['indexOf', 'lastIndexOf', 'substring', 'split']),
};

const ARITHMETIC = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
} as const;

/** `size(...)` and its like are ints; they count and compare with doubles as in any other language. */
export function registerNumbers(environment: Environment): void {
  for (const [operator, compute] of Object.entries(ARITHMETIC)) {
    const mixed = (a: number | bigint, b: number | bigint): number => compute(Number(a), Number(b));
    environment.registerOperator(`double ${operator} int: double`, mixed);
    environment.registerOperator(`int ${operator} double: double`, mixed);
  }
  environment.registerOperator('double % double: double', ARITHMETIC['%']);
  environment.registerOperator('int == double: bool', (a: bigint, b: number) => Number(a) === b);
}

/** Arithmetic with a missing value is missing; an order comparison with one is false. */
export function registerMissing(environment: Environment): void {
  const missing = (): null => null;
  const never = (): boolean => false;
  const pairs = ['double', 'int', 'string'].flatMap((type) => [['null', type], [type, 'null']]).concat([['null', 'null']]);
  for (const [left, right] of pairs) {
    for (const operator of Object.keys(ARITHMETIC)) {
      if (operator === '+' || (left !== 'string' && right !== 'string')) environment.registerOperator(`${left} ${operator} ${right}: null`, missing);
    }
    for (const operator of ['<', '<=', '>', '>=']) environment.registerOperator(`${left} ${operator} ${right}: bool`, never);
  }
  environment.registerOperator('-null: null', missing);
  for (const method of ['contains', 'startsWith', 'endsWith']) environment.registerFunction(`null.${method}(string): bool`, never, { async: false });
  for (const method of ['lowerAscii', 'upperAscii', 'trim']) environment.registerFunction(`null.${method}(): null`, missing, { async: false });
}

export function registerMath(environment: Environment): void {
  const one: Record<string, (x: number) => number> = {
    abs: Math.abs, round: Math.round, floor: Math.floor, ceil: Math.ceil, sqrt: Math.sqrt, exp: Math.exp, log: Math.log, log10: Math.log10,
    exp10: (x) => 10 ** x,
  };
  for (const [name, compute] of Object.entries(one)) {
    environment.registerFunction(`${name}(dyn): dyn`, (x: unknown) => onNumbers(name, [x], ([a]) => compute(a!)), { async: false });
  }
  environment.registerFunction('pow(dyn, dyn): dyn', (x: unknown, y: unknown) => onNumbers('pow', [x, y], ([a, b]) => a! ** b!), { async: false });
  for (const [name, compute] of Object.entries({ min: Math.min, max: Math.max })) {
    for (let count = 1; count <= 4; count++) {
      const signature = `${name}(${Array(count).fill('dyn').join(', ')}): dyn`;
      const handler = (...args: unknown[]): number | null =>
        onNumbers(name, count === 1 && Array.isArray(args[0]) ? args[0] : args, (numbers) => (numbers.length === 0 ? NaN : compute(...numbers)));
      environment.registerFunction(signature, handler, { async: false });
    }
  }
}

function onNumbers(name: string, args: readonly unknown[], compute: (numbers: number[]) => number): number | null {
  if (args.some((arg) => arg === null)) return null;
  const numbers = args.map((arg) => {
    if (typeof arg === 'number' || typeof arg === 'bigint') return Number(arg);
    throw new TypeError(`${name}() takes numbers, and got ${Array.isArray(arg) ? 'a list' : `a ${typeof arg}`}`);
  });
  return compute(numbers);
}
