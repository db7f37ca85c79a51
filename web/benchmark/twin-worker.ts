// A workload's Wasm twin, in a thread of its own as the guest is: the page goes on meanwhile.
import { runTwin, type WorkloadPass } from 'hypertab';

export interface TwinRequest {
  wasm: Uint8Array<ArrayBuffer>;
  n: number;
  passes: number;
}

export type TwinAnswer = { passes: WorkloadPass[] } | { error: string };

self.onmessage = async ({ data }: MessageEvent<TwinRequest>) => {
  let answer: TwinAnswer;
  try {
    const { instance } = await WebAssembly.instantiate(data.wasm);
    answer = { passes: await runTwin(instance, data.n, data.passes) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(answer);
};
