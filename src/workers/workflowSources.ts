/** Of what the workflows' bundle is made. */
export const WORKFLOW_SOURCES = {
  workflowsPath: require.resolve('../workflows'),
  workflowInterceptorModules: [require.resolve('../workflows/clock'), require.resolve('../workflows/tracing'), require.resolve('../workflows/logging')],
  payloadConverterPath: require.resolve('../workflows/payloadConverter'),
};
