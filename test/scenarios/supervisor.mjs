// A supervisor as a process of its own: what the tests end, signal and kill is never the test itself.
import { supervise } from 'handover';

await supervise(JSON.parse(process.argv[2]));
