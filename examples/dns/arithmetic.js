// What 100,000 machines behind one name need, cell by cell. `node examples/dns/arithmetic.js [machines] [machines in a cell]`
const [machines = 100_000, inCell = 3_000] = process.argv.slice(2).map(Number);

// What handover does (docs/fleet.md): a lease of 20 s is renewed three times; in a deploy a look around every machines x 30 ms, from
// 3 s to 90 s, and a dozen requests for each machine. What is chosen here: the rest.
const RENEWALS = 3 / 20;
const LOOK_SECONDS = Math.min(90, Math.max(3, inCell * 0.03));
const DEPLOY_REQUESTS = 12;
const unavailable = Math.ceil(inCell * 0.05);
const deploySeconds = 90; // of one machine: fetch, start, 60 s of bake
const inGroup = 100; // machines behind one pair of L7 load balancers
const cellsAtOnce = 4;

const cells = Math.ceil(machines / inCell);
const waves = Math.ceil(inCell / unavailable);
const cellMinutes = ((1 + waves) * deploySeconds) / 60; // `--canary 1` goes before the waves
const rounds = 1 + Math.ceil((cells - 1) / cellsAtOnce);
const groups = Math.ceil(inCell / inGroup);
const addresses = cells * 2;
const answerBytes = 12 + 'shop.example'.length + 2 + 4 + 11 + addresses * 16;
const atRest = inCell * RENEWALS;
const inDeploy = inCell / LOOK_SECONDS + (inCell * DEPLOY_REQUESTS) / (cellMinutes * 60);

const rows = {
  cells: `${cells}, of ${inCell} machines at the most, each with an etcd of its own`,
  'etcd of a cell, at rest': `${Math.round(atRest)} requests/s`,
  'etcd of a cell, in a deploy': `${Math.round(atRest + inDeploy)} requests/s`,
  'L7 of a cell': `${groups * 2} HAProxy, a pair for each ${inGroup} machines; each asks ${inGroup * 2} times a second (agent-inter 500ms)`,
  'L4 of a cell': `2 addresses, in front of ${groups * 2} L7`,
  'DNS answer': `${addresses} addresses, ${answerBytes} bytes: ${answerBytes <= 1_232 ? 'fits' : 'does not fit'} into the 1,232 of one datagram`,
  'a deploy of one cell': `1 machine first, then ${unavailable} at once: ${1 + waves} waves of ${deploySeconds} s, ${cellMinutes} min`,
  'a deploy of all': `one cell first, then ${cellsAtOnce} at once: ${rounds} rounds, ${((rounds * cellMinutes) / 60).toFixed(1)} h`,
  'a bad release': `meets 1 of ${cells} cells, and of that one machine: 1 of ${machines}`,
  'a cell that is lost': `${((100 * inCell) / machines).toFixed(1)} % of the machines`
};
for (const [name, value] of Object.entries(rows)) console.log(`${name}: ${value}`);
