// What this browser, or the way the page is served, lacks; the page works without any of it.
import { hostFeatures } from 'hypertab';

export type Reduction = 'isolation' | 'storage' | 'tailCalls';

/** What is missing here. */
export async function reductions(): Promise<Reduction[]> {
  const missing: Reduction[] = [];
  if (!window.crossOriginIsolated) missing.push('isolation');
  if (!hostFeatures().tailCalls) missing.push('tailCalls');
  try {
    await navigator.storage.getDirectory();
  } catch {
    missing.push('storage');
  }
  return missing;
}
