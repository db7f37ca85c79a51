// A container host that is kept warm has had a container: programs and their pages, what the kernel loads and sets up
// when it is first asked, and the copy of crun's are in its memory then.
import { BRIDGE } from './bridge-network.ts';
import type { ContainerHost } from './container-host.ts';
import { ContainerRuntime, NETWORKS, placesOf } from './container-runtime.ts';
import { settingsOf } from './container-settings.ts';
import { processOf, runtimeSpec } from './runtime-spec.ts';

const ID = '0'.repeat(64);
/** The container host's own files: its root has /bin/busybox. */
const LAYER = '/usr';
const SIGKILL = 9;
const LAST_ADDRESS = BRIDGE.network + 0xfffe;
/** A network namespace that nobody has used, for the first container. */
export const SPARE_NETWORK = { path: `${NETWORKS}/first`, address: BRIDGE.gateway + 1 };

/**
 * Has one container come, do something, and go, and leaves SPARE_NETWORK. False when that did not work: what fails here
 * fails again when it is wanted.
 */
export async function warmUp(host: ContainerHost): Promise<boolean> {
  const runtime = new ContainerRuntime(host);
  const network = `${NETWORKS}/0`;
  let worked = false;
  try {
    await runtime.makeNetwork(network, LAST_ADDRESS);
    await runOne(runtime, network);
    await runtime.makeNetwork(SPARE_NETWORK.path, SPARE_NETWORK.address);
    worked = true;
  } catch {
    // It is not known how far that went; what there is of it goes below.
  }
  await runtime.release(ID, network).catch(() => {});
  await runtime.remove(ID).catch(() => {});
  return worked;
}

async function runOne(runtime: ContainerRuntime, network: string): Promise<void> {
  const settings = settingsOf({ Image: '', Cmd: ['/bin/busybox', 'sleep', '1000'] }, {}, ID);
  const user = { uid: 0, gid: 0, additionalGids: [0], home: '/root' };
  const { rootfs, cgroupsPath } = placesOf(ID);
  const spec = runtimeSpec({ settings, user, rootfs, cgroupsPath, network, binds: runtime.etcMounts(ID) });
  const etc = { hosts: '', hostname: '', 'resolv.conf': '' };
  const output = () => {};
  let over = () => {};
  const ended = new Promise<void>((resolve) => {
    over = resolve;
  });
  const first = await new Promise<number>((resolve, reject) => {
    const exited = () => {
      over();
      reject(new Error('it has ended'));
    };
    runtime.start(ID, [LAYER], etc, spec, false, { output, started: resolve, exited, failed: reject });
  });
  const own = { args: ['/bin/busybox', 'true'], env: [], cwd: '/', terminal: false };
  await new Promise<void>((resolve, reject) => {
    runtime.exec(ID, processOf(settings, user, own), false, {
      output,
      exited: () => resolve(),
      failed: reject,
    });
  });
  await runtime.signal(first, SIGKILL);
  await ended;
}
