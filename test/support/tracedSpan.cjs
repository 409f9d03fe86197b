// A program that makes one span, as the environment says it is sent. Says which exporters were loaded.
const { tracingFrom } = require('../../dist/observe');

(async () => {
  const tracing = tracingFrom(process.env, { service: 'probe' });
  await tracing.around('sent', { 'shoal.chain': 'flats' }, async () => undefined);
  await tracing.flush();
  const loaded = ['grpc', 'http', 'proto'].filter((of) => Object.keys(require.cache).some((file) => file.includes(`exporter-trace-otlp-${of}/`)));
  process.stdout.write(JSON.stringify({ loaded }), () => process.exit(0));
})().catch((error) => { console.error(error); process.exit(1); });
