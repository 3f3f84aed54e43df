module.exports = {
  flowFile: 'flows.json',
  uiPort: process.env.PORT || 1880,
  credentialSecret: 'scratch',
  logging: { console: { level: 'warn' } },
  telemetry: { enabled: false, updateNotification: false }
};
