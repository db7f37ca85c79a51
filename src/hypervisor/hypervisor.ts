import type { Engine } from '../machine/machine-types.ts';
import { CHANNELS_MAX, CONSOLES_MAX } from '../machine/memory-map.ts';
import { EthernetSwitch, type SwitchOptions } from '../network/ethernet-switch.ts';
import type { SentConfig } from '../worker/blob-file.ts';
import { ownDrives, setUpDrives } from './drives.ts';
import { FileError, OptionError, StateError } from './errors.ts';
import { type LoadedFile, loadFile, nameOf } from './file-source.ts';
import { HostScheduler } from './host-scheduler.ts';
import type { VmLimits } from './limits.ts';
import { planNetworks } from './networks.ts';
import { currentPlatform, type Platform, type WorkerFactory } from './platform.ts';
import { setUpShares } from './shares.ts';
import { parseMemory } from './size.ts';
import type { FileSource, GuestFiles, GuestResolver, VirtualMachine, VmOptions } from './types.ts';
import { Vm } from './vm.ts';

const DEFAULT_MEMORY = 128 * 1024 ** 2;
const ENGINES: readonly Engine[] = ['auto', 'interpreter', 'translator'];

/** Linux refuses a longer one (COMMAND_LINE_SIZE of riscv is 1,024 bytes, the last one zero). */
const LONGEST_COMMAND_LINE = 1023;

export interface HypervisorOptions {
  /** Finds guests by name; default in Node: those prepared on this machine. */
  resolveGuest?: GuestResolver;
  /** Starts workers; default: the package's own. */
  workerFactory?: WorkerFactory;
  /** Compiled core.wasm; default: the package's own, compiled once. */
  core?: WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Cores of the host that the VMs share among them; default: as many as it has. */
  cores?: number;
  /** Saves a VM whose lease is over, before it is stopped; default: it is stopped without. */
  saveAtLeaseEnd?: (vm: VirtualMachine) => Promise<void>;
  /** Console bytes and figures through shared memory; default: where the page is cross-origin isolated. */
  shared?: boolean;
}

let packagedCore: Promise<WebAssembly.Module> | undefined;

/** Makes virtual machines and keeps the list of them. */
export class Hypervisor {
  readonly #options: HypervisorOptions;
  readonly #vms = new Map<string, Vm>();
  #count = 0;
  #scheduler: HostScheduler | undefined;

  constructor(options: HypervisorOptions = {}) {
    this.#options = options;
  }

  /**
   * Makes a VM in state 'created'; start() runs it.
   * @throws {OptionError} {FileError} {ImageError} when it cannot be made from these options; {WorkerLostError}
   */
  async create(options: VmOptions): Promise<VirtualMachine> {
    const platform = await this.#platform();
    const guest = options.guest === undefined ? undefined : await platform.resolveGuest(options.guest);
    checkOptions(options);
    const shares = setUpShares(options.shares ?? []);
    const networks = planNetworks(options.network);
    const drives = setUpDrives([...ownDrives(guest, options), ...(options.drives ?? [])]);
    const sources = chooseSources(options, guest);
    const memory = parseMemory(options.memory ?? guest?.memory ?? DEFAULT_MEMORY);
    const load = (source: FileSource | undefined, what: 'kernel' | 'initrd' | 'bios') =>
      source === undefined ? undefined : loadFile(source, what, platform, options.transfer);
    const [core, kernel, initrd, bios] = await Promise.all([
      this.#core(platform),
      load(sources.kernel, 'kernel'),
      load(sources.initrd, 'initrd'),
      load(sources.bios, 'bios'),
    ]);

    const config: SentConfig = { core, memory, engine: options.engine ?? 'auto' };
    if (kernel !== undefined) config.kernel = kernel.bytes;
    if (initrd !== undefined) config.initrd = initrd.bytes;
    if (bios !== undefined) config.bios = bios.bytes;
    const append = options.append ?? guest?.append;
    if (append !== undefined) config.append = append;
    if (options.clock !== undefined) config.clock = options.clock;
    if (options.seed !== undefined) config.seed = options.seed;
    if (options.consoles !== undefined) config.consoles = options.consoles;
    if (options.channels !== undefined) config.channels = options.channels;
    if (options.noReboot !== undefined) config.noReboot = options.noReboot;

    const id = `vm${++this.#count}`;
    const name = options.name ?? guest?.name ?? id;
    const vm = await Vm.create({
      id,
      name,
      prompt: guest?.prompt,
      config,
      owned: [kernel, initrd, bios].flatMap((file: LoadedFile | undefined) =>
        file?.owned && file.bytes instanceof Uint8Array ? [file.bytes.buffer] : [],
      ),
      maxInstructions: options.maxInstructions,
      shares,
      drives,
      networks,
      limits: limitsOf(options),
      ...(this.#options.saveAtLeaseEnd === undefined ? {} : { saveAtLeaseEnd: this.#options.saveAtLeaseEnd }),
      worker: platform.startWorker(`hypertab ${id} ${name}`),
      ...(this.#options.shared === undefined ? {} : { shared: this.#options.shared }),
    }).catch((error: unknown) => {
      throw error instanceof FileError ? withFileName(error, sources) : error;
    });
    this.#vms.set(id, vm);
    this.#scheduler ??= new HostScheduler(Math.max(1, this.#options.cores ?? platform.cores()));
    const scheduled = this.#scheduler.add(vm.schedulable);
    vm.onLimits = () => scheduled.changed();
    vm.on('state', ({ state }) => {
      scheduled.changed();
      if (state !== 'destroyed') return;
      scheduled.remove();
      this.#vms.delete(id);
    });
    scheduled.changed();
    return vm;
  }

  /**
   * Makes a network that machines are put into with their option `network`; like `new EthernetSwitch(…)`.
   * @throws {OptionError} for an MTU that cannot be
   */
  createNetwork(options: SwitchOptions = {}): EthernetSwitch {
    try {
      return new EthernetSwitch(options);
    } catch (error) {
      throw new OptionError(`network: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** The VMs that have not been destroyed, oldest first. */
  list(): VirtualMachine[] {
    return [...this.#vms.values()];
  }

  /**
   * A VM by its id.
   * @throws {StateError} when there is none
   */
  get(id: string): VirtualMachine {
    const vm = this.#vms.get(id);
    if (vm === undefined) throw new StateError(`there is no VM '${id}'`);
    return vm;
  }

  /** Ends every worker and frees all memory. */
  async destroyAll(): Promise<void> {
    await Promise.all([...this.#vms.values()].map((vm) => vm.destroy()));
  }

  async #platform(): Promise<Platform> {
    const platform = await currentPlatform();
    return {
      ...platform,
      startWorker: this.#options.workerFactory ?? platform.startWorker,
      resolveGuest: this.#options.resolveGuest ?? platform.resolveGuest,
    };
  }

  #core(platform: Platform): Promise<WebAssembly.Module> {
    if (this.#options.core !== undefined) return Promise.resolve(this.#options.core);
    packagedCore ??= platform.loadCore().catch((error) => {
      // A failed fetch may succeed the next time.
      packagedCore = undefined;
      throw error;
    });
    return packagedCore;
  }
}

/** Those of the options that are limits. */
function limitsOf({ cpus, weight, memoryLimit, lease, driveRates, networkRates }: VmOptions): VmLimits {
  return { cpus, weight, memoryLimit, lease, driveRates, networkRates };
}

function checkOptions(options: VmOptions): void {
  if (options.engine !== undefined && !ENGINES.includes(options.engine)) {
    throw new OptionError(`engine: '${options.engine}' is none; choose auto, interpreter or translator`);
  }
  const limit = options.maxInstructions;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new OptionError(`maxInstructions: ${limit} is not a count; give a whole number, 0 or more`);
  }
  if (options.clock !== undefined && options.clock !== 'host' && options.clock !== 'instructions') {
    throw new OptionError(`clock: '${options.clock}' is none; choose host or instructions`);
  }
  const { consoles = 0 } = options;
  if (!(Number.isInteger(consoles) && consoles >= 0 && consoles <= CONSOLES_MAX)) {
    throw new OptionError(`consoles: ${consoles} is no number of them; give 0 to ${CONSOLES_MAX}`);
  }
  const { channels = 0 } = options;
  if (!(Number.isInteger(channels) && channels >= 0 && channels <= CHANNELS_MAX)) {
    throw new OptionError(`channels: ${channels} is no number of them; give 0 to ${CHANNELS_MAX}`);
  }
  if (options.append !== undefined) {
    const { length } = new TextEncoder().encode(options.append);
    if (length > LONGEST_COMMAND_LINE) {
      throw new OptionError(`append: ${length} bytes; a kernel takes at most ${LONGEST_COMMAND_LINE}`);
    }
    if (options.append.includes('\0')) throw new OptionError('append: it holds a zero byte; leave that out');
  }
}

/** The machine, which unpacks its files, knows no more of them than what they are. */
function withFileName(error: FileError, sources: Sources): FileError {
  for (const what of ['kernel', 'initrd', 'bios'] as const) {
    const source = sources[what];
    if (source !== undefined && error.message.startsWith(`${what} is `)) {
      return new FileError(nameOf(what, source) + error.message.slice(what.length), { cause: error });
    }
  }
  return error;
}

interface Sources {
  kernel: FileSource | undefined;
  initrd: FileSource | undefined;
  bios: FileSource | undefined;
}

/** The files to boot: those of the options before those of the guest. */
function chooseSources(options: VmOptions, guest: GuestFiles | undefined): Sources {
  const bios = options.bios === 'none' ? undefined : (options.bios ?? guest?.bios);
  const kernel = options.kernel ?? guest?.kernel;
  const initrd = options.initrd ?? guest?.initrd;
  if (kernel === undefined && bios === undefined) {
    throw new OptionError('there is nothing to boot: give a guest, a kernel or a bios');
  }
  if (initrd !== undefined && kernel === undefined) {
    throw new OptionError('initrd: it is of no use without a kernel: give one, or leave it out');
  }
  return { kernel, initrd, bios };
}
