// The workloads that ship with the package: data, not code, so the page has them from guests/bench as they are.
import type { Workload } from 'hypertab';

const [catalogue] = Object.values(
  import.meta.glob<readonly Workload[]>('../../guests/bench/workloads.json', {
    import: 'default',
    eager: true,
  }),
);
/** Addresses by path; nothing is fetched before it is wanted. */
const files = import.meta.glob<string>('../../guests/bench/binaries/*.{bare,wasm}', {
  query: '?url',
  import: 'default',
  eager: true,
});

export function listWorkloads(): readonly Workload[] {
  if (catalogue === undefined) throw new Error('this build of the page has no workloads');
  return catalogue;
}

/** A workload's M-mode image, or its Wasm twin. */
export async function workloadFile(name: string, form: 'bare' | 'wasm'): Promise<Uint8Array<ArrayBuffer>> {
  const address = files[`../../guests/bench/binaries/${name}.${form}`];
  if (address === undefined) throw new Error(`this build of the page has no ${name}.${form}`);
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${name}.${form}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
