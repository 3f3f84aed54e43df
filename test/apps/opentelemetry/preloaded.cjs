// Loaded before the app, as an agent is: NODE_OPTIONS=--require=./preloaded.cjs
const { PrometheusExporter } = require('@opentelemetry/exporter-prometheus');
const { MeterProvider } = require('@opentelemetry/sdk-metrics');

const exporter = new PrometheusExporter({ host: '127.0.0.1', port: Number(process.env.METRICS_PORT) });
const meter = new MeterProvider({ readers: [exporter] }).getMeter('app');
const gauge = meter.createObservableGauge('app_version');
gauge.addCallback((result) => result.observe(1, { version: process.env.VERSION }));
