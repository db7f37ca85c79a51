import type { Engine } from '../machine/machine-types.ts';
import { CHANNELS_MAX, CONSOLES_MAX } from '../machine/memory-map.ts';
import { EthernetSwitch, type SwitchOptions } from '../network/ethernet-switch.ts';
import type { SnapshotFiles } from '../storage/htvm/snapshot-files.ts';
import type { SentConfig } from '../worker/blob-file.ts';
import type { ShareSetup } from '../worker/machine-control.ts';
import { chooseSources, loadBootFiles, withFileName } from './boot-sources.ts';
import { ownDrives, ratesOfDrives, setUpDrives } from './drives.ts';
import { FileError, OptionError, StateError } from './errors.ts';
import { HostScheduler } from './host-scheduler.ts';
import type { VmLimits } from './limits.ts';
import { planNetworks } from './networks.ts';
import {
  currentPlatform,
  type Platform,
  remembering,
  type WorkerFactory,
  type WorkerHandle,
} from './platform.ts';
import {
  LARGEST_SNAPSHOT,
  type OpenedSnapshot,
  openSnapshot,
  type RestoreFrom,
  restoredState,
} from './restore.ts';
import { planRestore } from './restore-plan.ts';
import { setUpShares } from './shares.ts';
import { parseMemory } from './size.ts';
import { SnapshotError } from './snapshot-error.ts';
import type { CloneOptions, RestoreOptions, SnapshotStore } from './snapshot-types.ts';
import { Snapshots } from './snapshots.ts';
import { SpareWorker } from './spare-worker.ts';
import type { GuestFiles, GuestResolver, VirtualMachine, VmOptions } from './types.ts';
import { Vm } from './vm.ts';
import type { BootFiles, TakenCopy, VmParts } from './vm-parts.ts';
import { type WarmSource, WarmStarts, warmId } from './warm-starts.ts';

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
  /** Told of each VM that was made. */
  onCreated?: (vm: VirtualMachine) => void;
  /** Saves a VM whose lease is over, before it is stopped; default: a snapshot of it is stored. */
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
  readonly #snapshots = new Snapshots(async () => {
    const platform = await this.#platform();
    this.#files ??= await platform.openSnapshots('snapshots');
    return {
      files: this.#files,
      readFile: (path) => platform.readFile(path, LARGEST_SNAPSHOT),
      onRemoved: async (id) => {
        await Promise.all([...this.#vms.values()].map((vm) => vm.saving.forget(id)));
      },
    };
  });
  #files: SnapshotFiles | undefined;
  #warm: WarmStarts | undefined;
  #coreKey: Promise<string> | undefined;
  #spare: SpareWorker | undefined;

  constructor(options: HypervisorOptions = {}) {
    this.#options = options;
  }

  /**
   * Makes the next machines come sooner: compiles the core, and has a worker in reserve from now on.
   * @throws {FileError} when the core cannot be read
   */
  async ready(): Promise<void> {
    const platform = await currentPlatform();
    this.#spare ??= new SpareWorker(this.#options.workerFactory ?? platform.startWorker);
    this.#spare.fill();
    await this.#core(platform);
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
    const allDrives = [...ownDrives(guest, options), ...(options.drives ?? [])];
    const drives = setUpDrives(allDrives);
    const sources = chooseSources(options, guest);
    const memory = parseMemory(options.memory ?? guest?.memory ?? DEFAULT_MEMORY);
    const [core, boot] = await Promise.all([
      this.#core(platform),
      loadBootFiles(sources, platform, options.transfer),
    ]);

    const config: SentConfig = { core, memory, engine: options.engine ?? 'auto', ...boot.files };
    // Our own guests load the balloon's driver when they are told that it is wanted.
    const balloon = guest !== undefined && options.memoryLimit !== undefined ? ' hypertab.balloon' : '';
    const append = options.append ?? (guest?.append === undefined ? undefined : guest.append + balloon);
    if (append !== undefined) config.append = append;
    if (options.clock !== undefined) config.clock = options.clock;
    if (options.seed !== undefined) config.seed = options.seed;
    if (options.consoles !== undefined) config.consoles = options.consoles;
    if (options.channels !== undefined) config.channels = options.channels;
    if (options.noReboot !== undefined) config.noReboot = options.noReboot;

    return this.#make(platform, {
      name: options.name ?? guest?.name,
      prompt: guest?.prompt,
      ...(guest !== undefined && { guest: { name: guest.name, key: guest.key ?? '' } }),
      firmware: boot.files.bios !== undefined,
      bootFiles: () => loadBootFiles(sources, platform),
      config,
      owned: boot.owned,
      maxInstructions: options.maxInstructions,
      shares,
      drives,
      networks,
      limits: { ...limitsOf(options), driveRates: ratesOfDrives(allDrives, options.driveRates) },
    }).catch((error: unknown) => {
      throw error instanceof FileError ? withFileName(error, sources) : error;
    });
  }

  /** The snapshots that are kept: in this browser, or for this user (Node). */
  get snapshots(): SnapshotStore {
    return this.#snapshots;
  }

  /**
   * Makes a VM that goes on, with start(), from where another one was saved: a snapshot, or an .htvm file as a blob,
   * bytes, an address or a path. Its clock, random numbers and network addresses are new.
   * @throws {SnapshotError} when it is no snapshot, does not fit, or something that it needs is not given;
   * {OptionError} {FileError} {WorkerLostError} as create()
   */
  async restore(from: RestoreFrom, options: RestoreOptions = {}): Promise<VirtualMachine> {
    const platform = await this.#platform();
    const opened = () =>
      openSnapshot(from, this.#snapshots, (path) => platform.readFile(path, LARGEST_SNAPSHOT));
    return this.#restore(platform, opened, options);
  }

  /**
   * Makes a VM that goes on, with start(), from where this guest stood at its prompt when it was booted first with these
   * options; undefined when that was not kept: see keepWarm(), or when a disk of the guest's that is kept has been written since.
   */
  async createWarm(options: VmOptions & { guest: string }): Promise<VirtualMachine | undefined> {
    const platform = await this.#platform();
    const guest = await platform.resolveGuest(options.guest);
    const id = await this.#warmId(platform, options, guest);
    const file = id === undefined ? undefined : await (await this.#warmStarts(platform)).find(id);
    if (id === undefined || file === undefined) return undefined;
    try {
      const { name, network, cpus, weight, lease } = options;
      // What is in memory was saved; trees to come are attached to a share that is there again.
      const shares = options.shares?.filter(({ kind }) => kind === 'mounts');
      const chosen = { name: name ?? options.guest, network, cpus, weight, lease, shares };
      const opened = async () => ({ chain: [file], owned: true, stored: false, warm: true });
      return await this.#restore(platform, opened, chosen, guest);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      await (await this.#warmStarts(platform)).forget(id);
      return undefined;
    }
  }

  /**
   * Keeps what createWarm() goes on from: of a VM that was created with these options and has just been started, once it
   * stands at its prompt and unless somebody has typed by then.
   * @param ready resolves when it is to be taken, for guests without a prompt
   * @returns false when it was not kept
   */
  async keepWarm(
    vm: VirtualMachine,
    options: VmOptions & { guest: string },
    ready?: Promise<unknown>,
  ): Promise<boolean> {
    const platform = await this.#platform();
    const guest = await platform.resolveGuest(options.guest);
    const id = await this.#warmId(platform, options, guest);
    const own = this.#vms.get(vm.id);
    if (id === undefined || own === undefined || vm.isRestored) return false;
    const { saving } = own;
    const source: WarmSource = {
      vm,
      keepsDisk: ownDrives(guest, options).some(({ snapshot }) => snapshot !== true),
      save: (how) => saving.save(how),
      forget: (snapshot) => saving.forget(snapshot),
    };
    return (await this.#warmStarts(platform)).take(source, id, ready);
  }

  async #warmId(platform: Platform, options: VmOptions, guest: GuestFiles): Promise<string | undefined> {
    if (this.#options.core !== undefined) return undefined;
    this.#coreKey ??= platform.coreKey().catch(() => '');
    return warmId(options, guest, await this.#coreKey);
  }

  async #warmStarts(platform: Platform): Promise<WarmStarts> {
    this.#warm ??= new WarmStarts(await platform.openSnapshots('warm'));
    return this.#warm;
  }

  async #restore(
    platform: Platform,
    open: () => Promise<OpenedSnapshot>,
    options: RestoreOptions,
    known?: GuestFiles,
  ): Promise<VirtualMachine> {
    checkOptions(options);
    // It takes as long to start as the rest here.
    const worker = remembering(platform.startWorker(`hypertab ${options.name ?? 'restored'}`));
    try {
      return await this.#restoreInto(worker, platform, await open(), options, known);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  async #restoreInto(
    worker: WorkerHandle,
    platform: Platform,
    opened: OpenedSnapshot,
    options: RestoreOptions,
    known: GuestFiles | undefined,
  ): Promise<VirtualMachine> {
    const { manifest } = opened.chain.at(-1)!;
    let missing: unknown;
    const guest =
      known !== undefined || manifest.guest === undefined
        ? known
        : await platform.resolveGuest(manifest.guest.name).catch((error: unknown) => {
            missing = error;
            return undefined;
          });
    const plan = planRestore(manifest, options, guest);
    const bootFiles = async (): Promise<BootFiles> => {
      if (missing !== undefined && options.kernel === undefined) throw missing;
      if (!manifest.machine.bios && options.kernel === undefined && guest?.kernel === undefined) {
        throw new SnapshotError(
          'missing',
          'kernel: a snapshot has none to boot; restore it with the kernel it was booted from',
        );
      }
      return loadBootFiles(chooseSources(options, guest), platform);
    };
    const { bios } = manifest.machine;
    const [core, boot, restore] = await Promise.all([
      this.#core(platform),
      bios ? bootFiles() : undefined,
      restoredState(opened),
    ]);
    const parts = {
      name: options.name ?? manifest.name,
      prompt: manifest.prompt,
      ...(manifest.guest !== undefined && { guest: manifest.guest }),
      firmware: bios,
      bootFiles,
      config: { ...plan.config, core, ...boot?.files },
      owned: boot?.owned ?? [],
      restore,
      maxInstructions: options.maxInstructions,
      shares: plan.shares,
      drives: plan.drives,
      networks: plan.networks,
      limits: { ...limitsOf(options), driveRates: ratesOfDrives(plan.given) },
    };
    return this.#make(platform, parts, worker);
  }

  /** Makes a VM of a copy of another one's machine, taken once the new one's worker is on its way. */
  async #clone(
    parts: VmParts,
    take: () => Promise<TakenCopy>,
    options: CloneOptions,
  ): Promise<VirtualMachine> {
    const platform = await this.#platform();
    const network = options.network ?? (parts.networks ?? []).map((plan) => plan.network);
    const networks = planNetworks(network);
    if (networks.length !== (parts.networks?.length ?? 0)) {
      throw new OptionError(
        `network: a clone has ${parts.networks?.length ?? 0} interfaces, as its original; give as many`,
      );
    }
    // It may be lost before there is a VM to hear of it.
    const worker = remembering(platform.startWorker(`hypertab clone of ${parts.name}`));
    try {
      const boot = parts.firmware ? await parts.bootFiles() : undefined;
      const { copy, consoles } = await take();
      const shared = copy.drives.find(({ kept }) => kept === 'overlay' || kept === 'outside');
      if (shared !== undefined) {
        throw new SnapshotError(
          'configuration',
          `drive: ${shared.name} is written by ${parts.name}, and two machines cannot write one disk; ` +
            'a machine that is given it with snapshot: true can be cloned',
        );
      }
      const { kernel: _, initrd: __, bios: ___, ...config } = parts.config;
      // What is in memory comes with the copy, whatever it was made of.
      const shares = parts.shares?.map((share, index): ShareSetup => {
        const saved = copy.shares[index];
        if (saved?.kept !== 'inside' || share.tree.kind === 'memory') return share;
        return { tag: share.tag, tree: { kind: 'memory', shared: saved.shared } };
      });
      return await this.#make(
        platform,
        {
          ...parts,
          name: options.name ?? `${parts.name}-clone`,
          config: { ...config, ...boot?.files },
          owned: boot?.owned ?? [],
          shares,
          restore: {
            source: { kind: 'copy', copy },
            owned: [copy.ram.contents.buffer as ArrayBuffer],
            consoles,
          },
          networks,
        },
        worker,
      );
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  /** Makes a VM and takes it into the list. */
  async #make(
    platform: Platform,
    parts: Omit<VmParts, 'id' | 'name' | 'worker' | 'snapshots' | 'clone'> & { name: string | undefined },
    worker?: WorkerHandle,
  ): Promise<VirtualMachine> {
    const id = `vm${++this.#count}`;
    const name = parts.name ?? id;
    const whole: VmParts = {
      ...parts,
      id,
      name,
      ...(this.#options.saveAtLeaseEnd === undefined ? {} : { saveAtLeaseEnd: this.#options.saveAtLeaseEnd }),
      ...(this.#options.shared === undefined ? {} : { shared: this.#options.shared }),
      snapshots: this.#snapshots,
      clone: (take, options) => this.#clone({ ...whole, limits: vm.limits }, take, options),
      worker: worker ?? platform.startWorker(`hypertab ${id} ${name}`),
    };
    const vm = await Vm.create(whole);
    this.#adopt(vm, platform);
    this.#options.onCreated?.(vm);
    return vm;
  }

  /** Takes a VM into the list, and among those that share the host's cores. */
  #adopt(vm: Vm, platform: Platform): void {
    this.#vms.set(vm.id, vm);
    this.#scheduler ??= new HostScheduler(Math.max(1, this.#options.cores ?? platform.cores()));
    const scheduled = this.#scheduler.add(vm.schedulable);
    vm.onLimits = () => scheduled.changed();
    vm.on('state', ({ state }) => {
      scheduled.changed();
      if (state !== 'destroyed') return;
      scheduled.remove();
      this.#vms.delete(vm.id);
    });
    scheduled.changed();
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
    const spare = this.#spare;
    this.#spare = undefined;
    await Promise.all([...[...this.#vms.values()].map((vm) => vm.destroy()), spare?.close()]);
  }

  async #platform(): Promise<Platform> {
    const platform = await currentPlatform();
    return {
      ...platform,
      startWorker: (name) =>
        this.#spare?.take(name) ?? (this.#options.workerFactory ?? platform.startWorker)(name),
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
function limitsOf({ cpus, weight, memoryLimit, lease, networkRates }: VmOptions): VmLimits {
  return { cpus, weight, memoryLimit, lease, networkRates };
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
