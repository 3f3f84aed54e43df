import { openSync, writeSync } from 'node:fs';

/** How long a core may take to wake up is asked for here, for as long as it is open. @source Documentation/power/pm_qos_interface.rst */
const LATENCY = '/dev/cpu_dma_latency';

/**
 * Keeps idle cores from sleeping until this process ends: root of a Linux machine may.
 *
 * On a virtual machine a core that sleeps is given away, and whoever is asked next waits until it is back: up to tens of
 * milliseconds, which would be counted as those of the server.
 *
 * @returns whether they stay awake
 */
export function keepAwake(): boolean {
  try {
    writeSync(openSync(LATENCY, 'r+'), new Int32Array([0])); // closing it would take it back
    return true;
  } catch {
    return false; // not root, not Linux, or a container without the device
  }
}
