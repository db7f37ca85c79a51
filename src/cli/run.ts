import { writeFile } from 'node:fs/promises';
import { FileError, GuestStoppedError, OptionError } from '../hypervisor/errors.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import { waitForPrompt } from '../hypervisor/prompt.ts';
import { runCommand } from '../hypervisor/run-command.ts';
import type { VirtualMachine, VmDrive } from '../hypervisor/types.ts';
import { type ControlServer, serveControl } from './control-server-node.ts';
import { printError, STATUS_INTERNAL, STATUS_TIMEOUT, statusOf, statusOfError } from './exit-status.ts';
import { resolveForRun } from './guest.ts';
import { KEYS_HELP, RUN_HELP } from './help.ts';
import { parseRun, type RunRequest } from './run-options.ts';
import { formatStats, type RunFigures } from './run-stats.ts';
import { restoreNamed, saveTo } from './save-restore.ts';
import { flushOutput, Terminal } from './terminal.ts';

/** How a run ended. */
interface Ending {
  status: number;
  reason: RunFigures['reason'];
  message?: string;
  error?: unknown;
}

/** `hypertab run`: boots one machine with its console here; returns the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const request = parseRun(args);
  if (request.help) {
    process.stdout.write(RUN_HELP);
    return 0;
  }
  return new Run(request).execute();
}

/** Bytes of what a saved machine's console showed that are shown again. */
const SHOWN_BYTES = 2048;

const keepsWrites = ({ readonly, snapshot }: VmDrive) => readonly !== true && snapshot !== true;

class Run {
  readonly #request: RunRequest;
  readonly #hypervisor: Hypervisor;
  readonly #terminal: Terminal;
  readonly #ended: Promise<Ending>;
  #end!: (ending: Ending) => void;
  #bootMs: number | undefined;
  #control: ControlServer | undefined;
  /** The guest has drives that outlive it. */
  #keepsWrites: boolean;
  /** Output that stdout has not taken yet. */
  #written: Promise<void> = Promise.resolve();

  constructor(request: RunRequest) {
    this.#request = request;
    this.#keepsWrites = (request.vm.drives ?? []).some(keepsWrites);
    this.#hypervisor = new Hypervisor({
      saveAtLeaseEnd: async (vm) => printError(await saveTo(vm, request.save)),
      resolveGuest: async (name) => {
        const files = await resolveForRun(name);
        if (request.vm.snapshot !== true) this.#keepsWrites ||= (files.drives ?? []).some(keepsWrites);
        return files;
      },
    });
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#terminal = new Terminal((status) => this.#end({ status, reason: 'quit' }));
  }

  async execute(): Promise<number> {
    const { timeout } = this.#request;
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (timeout !== undefined) {
      const message = `stopped after ${timeout} s, as --timeout says`;
      timer = setTimeout(
        () => this.#end({ status: STATUS_TIMEOUT, reason: 'timeout', message }),
        timeout * 1000,
      );
    }
    try {
      const created = this.#make();
      const vm = await Promise.race([created, this.#ended.then(() => undefined)]);
      // A signal or the time-out may come before there is a machine.
      if (vm === undefined) return this.#report(await this.#ended);
      return await this.#drive(vm);
    } finally {
      clearTimeout(timer);
      this.#terminal.restore();
      this.#control?.close();
      await flushOutput();
      await this.#hypervisor.destroyAll();
    }
  }

  async #make(): Promise<VirtualMachine> {
    const { restore, warm, vm: options } = this.#request;
    if (restore !== undefined) return restoreNamed(this.#hypervisor, restore, options);
    const { guest } = options;
    if (!warm || guest === undefined) return this.#hypervisor.create(options);
    return (await this.#hypervisor.createWarm({ ...options, guest })) ?? this.#hypervisor.create(options);
  }

  async #drive(vm: VirtualMachine): Promise<number> {
    vm.on('error', ({ error }) => {
      const { message } = statusOfError(error);
      this.#end({ status: STATUS_INTERNAL, reason: 'fault', message, error });
    });
    vm.on('warning', ({ message }) => printError(message));
    vm.on('lease', ({ remainingMs }) => printError(`the lease ends in ${Math.ceil(remainingMs / 1000)} s`));
    // Where there is no folder for it, the machine runs as well without.
    this.#control = await serveControl(vm).catch(() => undefined);
    void vm.wait().then((reason) => this.#end({ reason: reason.kind, ...statusOf(reason) }));
    const startedAt = performance.now();
    await this.#keepWarm(vm);
    if (this.#request.exec !== undefined) this.#execute(vm, this.#request.exec, startedAt);
    else this.#connect(vm, startedAt);
    // A machine that breaks at once is reported by its 'error' event.
    vm.start().catch(() => {});
    let ending = await this.#ended;
    this.#terminal.restore();
    if (ending.reason !== 'timeout' && ending.reason !== 'quit') await this.#written;
    ending = (await this.#dumpSignature(vm)) ?? ending;
    this.#report(ending);
    if (this.#request.stats) {
      const stats = await vm.stats();
      process.stderr.write(`${formatStats({ stats, reason: ending.reason, bootMs: this.#bootMs })}\n`);
    }
    return ending.status;
  }

  #report({ status, message, error }: Ending): number {
    if (message !== undefined) printError(message, error);
    return status;
  }

  /** Boots a guest whose warm start is wanted and not there to its prompt, where nothing has been typed yet. */
  async #keepWarm(vm: VirtualMachine): Promise<void> {
    const { warm, vm: options } = this.#request;
    const { guest } = options;
    if (!warm || vm.isRestored || guest === undefined) return;
    vm.start().catch(() => {});
    await Promise.race([this.#hypervisor.keepWarm(vm, { ...options, guest }), this.#ended]);
  }

  /** Types the command, passes its output on and ends the run with its status. */
  #execute(vm: VirtualMachine, command: string, startedAt: number): void {
    const finish = async (): Promise<Ending> => {
      this.#bootMs = (await waitForPrompt(vm)) - startedAt;
      const onOutput = (bytes: Uint8Array) => this.#terminal.write(bytes);
      const { status } = await runCommand(vm, command, { onOutput, keepOutput: false });
      if (this.#request.save !== undefined) {
        await waitForPrompt(vm);
        // What it would still write to its drives is not in the saved machine.
        await vm.pause();
        await saveTo(vm, this.#request.save);
        return { status, reason: 'exec' };
      }
      // The plug is pulled next, so that what the guest was about to write has to be on its drives by then.
      if (this.#keepsWrites) await runCommand(vm, 'sync', { keepOutput: false });
      return { status, reason: 'exec' };
    };
    finish().then(this.#end, async (error: unknown) => {
      // The reason it stopped for says more, and vm.wait() brings it.
      if (error instanceof GuestStoppedError) return;
      this.#end({ ...statusOfError(error), reason: 'fault', error });
    });
  }

  /** What comes of it is on the console; what does not come is said. */
  #pressPowerButton(vm: VirtualMachine): void {
    vm.shutdown().catch((error: unknown) => printError(statusOfError(error).message));
  }

  async #save(vm: VirtualMachine): Promise<void> {
    try {
      printError(await saveTo(vm, this.#request.save));
    } catch (error) {
      printError(statusOfError(error).message);
    }
  }

  /** Joins the machine's console with our stdin and stdout. */
  #connect(vm: VirtualMachine, startedAt: number): void {
    const terminal = this.#terminal;
    const console = vm.console();
    console.onData((bytes) => {
      const pending = terminal.write(bytes);
      if (pending !== undefined) this.#written = pending;
      return pending;
    });
    const prompt = vm.prompt === undefined ? undefined : waitForPrompt(vm);
    prompt?.then(
      (at) => {
        this.#bootMs = at - startedAt;
      },
      () => {},
    );
    if (terminal.interactive) {
      // A restored machine stands at its prompt and has no reason to show it again.
      if (vm.isRestored || this.#request.warm) terminal.write(console.backlog.slice(-SHOWN_BYTES));
      terminal.readKeys(console, (action) => {
        if (action === 'quit') this.#end({ status: 0, reason: 'quit' });
        else if (action === 'power') this.#pressPowerButton(vm);
        else if (action === 'break') vm.sendBreak().catch(() => {});
        else if (action === 'save') void this.#save(vm);
        else process.stdout.write(KEYS_HELP);
      });
    } else {
      // What comes before the guest listens would be lost: where a prompt is known, a pipe waits for it.
      void (prompt ?? Promise.resolve()).then(
        () => terminal.readPipe(console),
        () => {},
      );
    }
  }

  /** Writes the signature where one was asked for; returns how the run ends when it cannot. */
  async #dumpSignature(vm: VirtualMachine): Promise<Ending | undefined> {
    const path = this.#request.signature;
    if (path === undefined || vm.state !== 'stopped') return undefined;
    try {
      const words = await vm.signature();
      if (words === undefined) {
        throw new OptionError(
          'signature: the image has no begin_signature and end_signature; leave --signature out',
        );
      }
      const lines = Array.from(words, (word) => `${word.toString(16).padStart(8, '0')}\n`);
      await writeFile(path, lines.join('')).catch((error: NodeJS.ErrnoException) => {
        throw new FileError(`signature: cannot write ${path}: ${error.code ?? error.message}`);
      });
      return undefined;
    } catch (error) {
      return { ...statusOfError(error), reason: 'fault', error };
    }
  }
}
