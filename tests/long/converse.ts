// Runs a machine and talks to its console: what to wait for, what to type then.
import { Core } from '../../src/core/core.ts';
import type { CoreApi } from '../../src/core/core-types.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { MachineConfig, StopReason } from '../../src/machine/machine-types.ts';
import { coreModule } from '../support/core.ts';

/** Wait until new output matches, then type. */
export interface Turn {
  readonly wait: RegExp;
  readonly type: string;
}

export interface Conversation {
  readonly text: string;
  readonly reason: StopReason;
  readonly instructions: number;
  readonly seconds: number;
}

export interface ConverseOptions {
  readonly turns?: readonly Turn[];
  /** Instructions after which the guest counts as hung. */
  readonly most?: number;
  /** Called once, before the first instruction. */
  readonly prepare?: (core: CoreApi) => void;
}

/** HYPERTAB_SHOW=1 shows the console as it goes. */
const SHOW = process.env.HYPERTAB_SHOW === '1';

/** Runs until the machine stops; time follows instructions, so that waits cost nothing. */
export async function converse(
  config: Omit<MachineConfig, 'core'>,
  { turns = [], most = 20_000_000_000, prepare }: ConverseOptions = {},
): Promise<Conversation> {
  let core: CoreApi | undefined;
  const machine = new Machine(
    { core: coreModule(), clock: 'instructions', seed: 1, noReboot: true, ...config },
    (module, options) => {
      core = Core.create(module, options);
      return core;
    },
  );
  if (core) prepare?.(core);
  machine.setInstructionLimit(most);
  const waiting = [...turns];
  const decoder = new TextDecoder();
  let text = '';
  let seen = 0;
  machine.onConsoleOutput = (bytes) => {
    const more = decoder.decode(bytes, { stream: true });
    text += more;
    if (SHOW) process.stdout.write(more);
  };
  const begin = performance.now();
  for (;;) {
    const result = machine.runSlice(20);
    const [turn] = waiting;
    if (turn?.wait.test(text.slice(seen))) {
      waiting.shift();
      seen = text.length;
      machine.consoleInput(new TextEncoder().encode(turn.type));
    }
    if (result.state === 'stopped') {
      const { instructions } = machine.stats();
      const seconds = (performance.now() - begin) / 1000;
      return { text, reason: result.reason, instructions, seconds };
    }
    // Nothing can wake it but input, and there is none left to give: it would wait for ever.
    if (result.state === 'idle' && result.wakeInMs === Infinity && waiting.length === 0)
      throw new Error(`the guest waits for what never comes; it said:\n${text.slice(-3000)}`);
    await new Promise((done) => setImmediate(done));
  }
}
