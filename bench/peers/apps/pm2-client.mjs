// Holds a connection to PM2's daemon and reloads through it, as a deploy tool would: PM2_HOME says which daemon.
import pm2 from 'pm2';

pm2.connect((error) => process.send(error ? String(error) : 'ready'));
process.on('message', () => pm2.reload('app', (error) => process.send(error ? String(error) : 'done')));
process.on('disconnect', () => process.exit());
