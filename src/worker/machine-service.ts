import * as Comlink from 'comlink';
import type {
  MachineApi,
  MachineConfig,
  MachineMemory,
  MachineNetwork,
  MachineParts,
} from '../machine/machine-types.ts';
import type { DriveRestore } from '../storage/drive-layers.ts';
import type { SetFile } from '../storage/tree/file-set.ts';
import type { TreeFile } from '../storage/tree/tree-files.ts';
import type { TreeSpec } from '../storage/tree/tree-spec.ts';
import type { DriveRates } from '../virtio/block/block-device.ts';
import type { NetworkRates } from '../virtio/net/net-device.ts';
import { receiveConfig, type SentConfig } from './blob-file.ts';
import { type ByteSender, openReader, openSender } from './byte-channel.ts';
import type { CpuPlan } from './cpu-share.ts';
import { FrameChannel } from './frame-channel.ts';
import type {
  MachineControl,
  MachineSetup,
  NetworkSetup,
  WorkerEvent,
  WorkerHello,
} from './machine-control.ts';
import { MachineRestorer } from './machine-restorer.ts';
import {
  type MachineCopy,
  MachineSaver,
  type SavedMachine,
  type SaveRequest,
  withState,
} from './machine-saver.ts';
import type { OpenedParts, PartsEvents } from './open-parts.ts';
import { SharedFolders } from './shared-folders.ts';
import { StatsBoard, type WorkerStats } from './stats-channel.ts';
import { VmDriver } from './vm-driver.ts';

/** Milliseconds between two samples: on the board they cost next to nothing, as messages they cost a message. */
const BOARD_INTERVAL_MS = 50;
const MESSAGE_INTERVAL_MS = 500;
/** Typed bytes the guest has not read, above which the page's queue is left to fill instead of the guest's. */
const INPUT_LIMIT = 1 << 16;
/** Milliseconds between two looks at whether the guest has read them. */
const INPUT_RETRY_MS = 20;

/** Makes a machine of its configuration and what was opened for it. */
export type MachineFactory = (config: MachineConfig, parts: MachineParts) => MachineApi;
/** Opens what a setup names, as the platform does. */
export type PartsOpener = (
  setup: MachineSetup,
  events: PartsEvents,
  restores?: readonly DriveRestore[],
) => Promise<OpenedParts>;

/** The worker's side of one VM. */
export class MachineService implements MachineControl {
  readonly #createMachine: MachineFactory;
  readonly #openParts: PartsOpener;
  readonly #threadTime: (() => number) | undefined;
  #machine: MachineApi | undefined;
  #driver: VmDriver | undefined;
  #parts: OpenedParts | undefined;
  #folders: SharedFolders | undefined;
  #saver: MachineSaver | undefined;
  #post: (event: WorkerEvent) => void = () => {};
  #run = 0;
  /** What drives without room have to do when the guest goes on. */
  readonly #retries = new Set<() => void>();
  /** Bytes written to each console before this power cycle. */
  #earlierBytes: readonly number[] = [];

  /** @param threadTime processor time of this thread in milliseconds, where the system tells it */
  constructor(
    createMachine: MachineFactory,
    openParts: PartsOpener = openNothing,
    threadTime?: () => number,
  ) {
    this.#createMachine = createMachine;
    this.#openParts = openParts;
    this.#threadTime = threadTime;
  }

  async create(setup: MachineSetup): Promise<void> {
    if (this.#machine !== undefined) throw new Error('this worker already has a machine');
    const post = (event: WorkerEvent) => setup.events.postMessage(event);
    const restorer = setup.restore === undefined ? undefined : await MachineRestorer.open(setup.restore);
    const parts = await this.#openParts(
      setup,
      {
        onWarning: (message) => post({ type: 'warning', message }),
        onFull: (message, retry) => this.#pauseForRoom(message, retry, post),
      },
      restorer?.drives,
    );
    const machine = await this.#make(setup, parts, restorer);
    machine.setInstructionLimit(setup.maxInstructions);

    const output = openSender(setup.consoleOut);
    const outputs = [output, ...connectTerminals(machine, setup)];
    const board = setup.stats.kind === 'board' ? new StatsBoard(setup.stats.board) : undefined;
    const driver = new VmDriver(
      machine,
      outputs,
      {
        onStopped: (reason) =>
          post({ type: 'stopped', run: this.#run, reason, consoleBytes: outputs.map(({ sent }) => sent) }),
        onFailed: (error) => post({ type: 'failed', run: this.#run, message: describe(error) }),
        onPowerOn: () => {
          this.#earlierBytes = outputs.map(({ sent }) => sent);
        },
        onReset: () => post({ type: 'reset', consoleBytes: this.#earlierBytes }),
        onStats: (sample) => (board === undefined ? post({ type: 'stats', sample }) : board.write(sample)),
      },
      {
        noReboot: setup.config.noReboot === true,
        statsIntervalMs: board === undefined ? MESSAGE_INTERVAL_MS : BOARD_INTERVAL_MS,
        threadTime: this.#threadTime,
      },
    );
    if (machine.saveState !== undefined) {
      const consoleBytes = () => outputs.map(({ sent }) => sent);
      this.#saver = new MachineSaver({
        machine: withState(machine),
        driver,
        parts,
        setups: setup.drives ?? [],
        consoleBytes,
      });
    }
    if (restorer !== undefined) {
      driver.standBy();
      if (restorer.id !== undefined) this.#saver?.beginAt(restorer.id);
    }
    openReader(setup.consoleIn).listen((bytes) => {
      driver.input(bytes);
      return untilRead(() => machine.consoleInputPending ?? 0);
    });
    this.#post = post;
    this.#machine = machine;
    this.#driver = driver;
    this.#parts = parts;
    this.#folders = new SharedFolders(
      parts.shares ?? [],
      (tag) => post({ type: 'share', tag }),
      parts.openTree,
    );
  }

  start(run: number): readonly number[] {
    this.#run = run;
    this.#tryAgain();
    this.#made.driver.start();
    return this.#earlierBytes;
  }

  pause(): void {
    this.#made.driver.pause();
  }

  resume(): void {
    this.#tryAgain();
    this.#made.driver.resume();
  }

  /** A drive is full: the guest stands still, and what it wrote is tried again when it goes on. */
  #pauseForRoom(message: string, retry: () => void, post: (event: WorkerEvent) => void): void {
    this.#retries.add(retry);
    this.#driver?.pause();
    post({ type: 'full', run: this.#run, message });
  }

  #tryAgain(): void {
    const retries = [...this.#retries];
    this.#retries.clear();
    for (const retry of retries) retry();
  }

  reset(run: number): readonly number[] {
    this.#run = run;
    this.#made.driver.reset();
    return this.#earlierBytes;
  }

  powerOff(): void {
    this.#made.driver.powerOff();
  }

  async close(): Promise<void> {
    this.#driver?.powerOff();
    this.#folders?.close();
    await this.#parts?.close();
  }

  stats(): WorkerStats {
    return this.#made.driver.sample.stats;
  }

  setCpu(plan: CpuPlan): void {
    this.#made.driver.cpu = plan;
  }

  setDriveRates(index: number, rates: DriveRates): void {
    this.#made.machine.setDriveRates?.(index, rates);
  }

  setNetworkRates(index: number, rates: NetworkRates): void {
    this.#made.machine.setNetworkRates?.(index, rates);
  }

  sendBreak(behind: Uint8Array): void {
    this.#made.driver.sendBreak(behind);
  }

  setBalloon(bytes: number): void {
    this.#made.machine.setBalloon?.(bytes);
  }

  resizeTerminal(index: number, columns: number, rows: number): void {
    this.#made.machine.terminals?.[index]?.resize(columns, rows);
  }

  saveMachine(request: SaveRequest): Promise<SavedMachine> {
    return this.#stateful.save(request, (done, total) =>
      this.#post({ type: 'saving', id: request.id, done, total }),
    );
  }

  keepSaved(id: string): void {
    this.#stateful.keep(id);
  }

  discardSaved(id: string): Promise<void> {
    return this.#stateful.discard(id);
  }

  async copyMachine(): Promise<MachineCopy> {
    const copy = await this.#stateful.copy();
    return Comlink.transfer(copy, [copy.ram.contents.buffer as ArrayBuffer]);
  }

  provideFiles(files: Pick<SentConfig, 'kernel' | 'initrd'>): void {
    const { kernel, initrd } = receiveConfig(files);
    this.#made.machine.provideFiles?.({ kernel, initrd });
  }

  memory(): MachineMemory | undefined {
    return this.#made.machine.memory?.();
  }

  signature(): Uint32Array | undefined {
    return this.#made.machine.signature();
  }

  addFiles(tag: string, files: readonly SetFile[]): void {
    this.#made.folders.add(tag, files);
  }

  makeDirectory(tag: string, path: string): void {
    this.#made.folders.makeDirectory(tag, path);
  }

  listFiles(tag: string, path: string): Promise<TreeFile[]> {
    return this.#made.folders.list(tag, path);
  }

  readFile(tag: string, path: string): Promise<Blob> {
    return this.#made.folders.read(tag, path);
  }

  attachTree(tag: string, name: string, tree: TreeSpec): Promise<void> {
    return this.#made.folders.attach(tag, name, tree);
  }

  detachTree(tag: string, name: string): Promise<void> {
    return this.#made.folders.detach(tag, name);
  }

  /** Files and locks are given up when there is no machine to use them. */
  async #make(
    setup: MachineSetup,
    parts: OpenedParts,
    restorer: MachineRestorer | undefined,
  ): Promise<MachineApi> {
    try {
      restorer?.checkDrives(parts, setup.drives ?? []);
      restorer?.fillShares(parts);
      const networks = (setup.networks ?? []).map(openNetwork);
      const config = { ...receiveConfig(setup.config), standby: restorer !== undefined };
      const machine = this.#createMachine(config, { ...parts, networks });
      if (restorer !== undefined) {
        await restorer.apply(withState(machine));
        // A run that is to repeat exactly is to know nothing of its being restored.
        if (config.clock !== 'instructions') machine.renewGeneration?.();
      }
      return machine;
    } catch (error) {
      await parts.close();
      throw error;
    }
  }

  get #stateful(): MachineSaver {
    if (this.#saver === undefined) throw new Error('this worker has no machine that can be saved');
    return this.#saver;
  }

  get #made(): { machine: MachineApi; driver: VmDriver; folders: SharedFolders } {
    if (this.#machine === undefined || this.#driver === undefined || this.#folders === undefined) {
      throw new Error('this worker has no machine yet: create comes first');
    }
    return { machine: this.#machine, driver: this.#driver, folders: this.#folders };
  }
}

const openNothing: PartsOpener = async () => ({ close: async () => {} });

/** Joins a machine's terminals with their channels; returns where their output goes. */
function connectTerminals(machine: MachineApi, { terminals = [] }: MachineSetup): ByteSender[] {
  return terminals.map((ends, index) => {
    const output = openSender(ends.out);
    const terminal = machine.terminals?.[index];
    if (terminal === undefined) return output;
    terminal.onOutput = (bytes) => output.send(bytes);
    openReader(ends.in).listen((bytes) => {
      terminal.type(bytes);
      return untilRead(() => terminal.inputPending);
    });
    return output;
  });
}

function openNetwork({ mac, mtu, ...ends }: NetworkSetup): MachineNetwork {
  return { mac, mtu, link: new FrameChannel(openSender(ends.out), openReader(ends.in)) };
}

/** Waits while the guest has too much to read; undefined when it need not. */
function untilRead(pending: () => number): Promise<void> | undefined {
  return pending() > INPUT_LIMIT ? becomeRead(pending) : undefined;
}

async function becomeRead(pending: () => number): Promise<void> {
  while (pending() > INPUT_LIMIT) await new Promise((resolve) => setTimeout(resolve, INPUT_RETRY_MS));
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Answers the calls that come in at the port. */
export function serveMachine(
  hello: WorkerHello,
  createMachine: MachineFactory,
  openParts?: PartsOpener,
  threadTime?: () => number,
): void {
  Comlink.expose(new MachineService(createMachine, openParts, threadTime), hello.port);
}
