// The house: workflows -> (types of) activities -> data, learn, serve, store -> domain. Only workers/ and cli/ wire things together.
// Types count here; .dependency-cruiser.runtime.cjs looks at what is left when they are gone.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'src/domain imports src/domain and pure libraries: no I/O, no Node, no Temporal, no TensorFlow.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: ['^src/domain/', '^node_modules/(zod|@marcbachmann/cel-js|fastest-levenshtein)/'] },
    },
    {
      name: 'workflows-import-domain-only',
      comment: 'Workflow code runs in a sandbox and must be deterministic: it has workflows, domain, the SDK\'s workflow side, zod and CEL.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        pathNot: ['^src/(workflows|domain)/', '^node_modules/(@temporalio/(workflow|common|interceptors-opentelemetry)|@opentelemetry/api|zod|@marcbachmann/cel-js)/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'workflows-import-activities-as-types',
      comment: 'Of other parts of the house, workflows may know the types: `import type`.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/', pathNot: '^src/(workflows|domain|activities|config|learn|store)/', dependencyTypes: ['type-only'] },
    },
    {
      name: 'learn-not-to-serve',
      comment: 'The ONNX file is all that learn/ and serve/ share.',
      severity: 'error',
      from: { path: '^src/learn/' },
      to: { path: '^src/serve/' },
    },
    {
      name: 'serve-not-to-learn',
      comment: 'The ONNX file is all that learn/ and serve/ share.',
      severity: 'error',
      from: { path: '^src/serve/' },
      to: { path: '^src/learn/' },
    },
    {
      name: 'arrows-point-one-way',
      comment: 'data, learn, serve and store know the domain and not who calls them.',
      severity: 'error',
      from: { path: '^src/(data|learn|serve|store)/' },
      to: { path: '^src/(activities|workflows|workers|client|cli)/' },
    },
    {
      name: 'report-draws-plain-data',
      comment: 'Reports are pure functions of plain data: the domain, the charting library, a hash.',
      severity: 'error',
      from: { path: '^src/report/' },
      to: { pathNot: ['^src/(report|domain)/', '^node_modules/vega/', '^crypto$', '^node:crypto$'] },
    },
    {
      name: 'activities-not-to-callers',
      comment: 'Activities know the workflows\' messages, as types, and nobody who runs them.',
      severity: 'error',
      from: { path: '^src/activities/' },
      to: { path: '^src/(workflows|workers|client|cli)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-workers-wire',
      comment: 'createActivities({store, ...}) is called in workers/ and nowhere else; others take activities as types.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(activities|workers|cli)/' },
      to: { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      comment: 'It is misspelt, or missing from package.json.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-src',
      comment: 'Who installs the package does not get it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
    progress: { type: 'none' },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
