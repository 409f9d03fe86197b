import { parser } from '@prometheus-io/lezer-promql';

type Node = ReturnType<typeof parser.parse>['topNode'];

export interface Query {
  /** Where it is no PromQL: what stands there. */
  errors: string[];
  /** By selector. */
  selectors: { metric: string; labels: string[] }[];
  /** Each aggregation: the labels that it keeps, and the metrics it is of. */
  aggregations: { by: string[]; metrics: string[] }[];
  /** Each function that is called, and the metrics it is of. */
  calls: { name: string; metrics: string[]; by: string[] }[];
}

/** What a PromQL expression names, by Prometheus' own grammar. */
export function readQuery(expression: string): Query {
  const text = (node: Node) => expression.slice(node.from, node.to);
  const found: Query = { errors: [], selectors: [], aggregations: [], calls: [] };
  const metricsOf = (node: Node) => within(node, 'VectorSelector').flatMap((selector) => within(selector, 'Identifier').map(text));
  const groupedBy = (node: Node) => within(node, 'GroupingLabels').slice(0, 1).flatMap((labels) => within(labels, 'LabelName').map(text));
  const { topNode } = parser.parse(expression);
  for (const node of all(topNode)) {
    if (node.type.isError) found.errors.push(expression.slice(node.from));
    if (node.name === 'VectorSelector') found.selectors.push({ metric: within(node, 'Identifier').map(text).join(), labels: within(node, 'LabelName').map(text) });
    if (node.name === 'AggregateExpr') found.aggregations.push({ by: groupedBy(node), metrics: metricsOf(node) });
    if (node.name === 'FunctionCall') found.calls.push({ name: within(node, 'FunctionIdentifier').map(text).join(), metrics: metricsOf(node), by: groupedBy(node) });
  }
  return found;
}

const all = (node: Node): Node[] => {
  const found = [node];
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(...all(child));
  return found;
};
const within = (node: Node, name: string): Node[] => all(node).filter((n) => n.name === name);

/** The labels of each metric of a scrape, by the name that queries use. */
export function exposed(scrape: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, name, labels] of scrape.matchAll(/^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? \S+$/gm)) {
    const known = found.get(name!) ?? new Set<string>();
    for (const [, label] of (labels ?? '').matchAll(/([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g)) known.add(label!);
    found.set(name!, known);
  }
  return found;
}
