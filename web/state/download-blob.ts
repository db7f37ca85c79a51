/** Told how many bytes have come of how many (0: not known). */
export type OnBytes = (received: number, total: number) => void;

/**
 * Downloads a file into a blob.
 *
 * XMLHttpRequest, because with it the browser puts what arrives where blobs lie, outside the page's process, and still
 * tells how far it is: a kernel's bytes never take memory of the page. It does not tell why it failed.
 * @returns the blob; undefined when there is none, for whatever reason; rejects when the signal aborts it
 */
export function downloadBlob(url: URL, onBytes: OnBytes, signal: AbortSignal): Promise<Blob | undefined> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener('abort', abort);
    request.responseType = 'blob';
    request.onprogress = ({ loaded, total, lengthComputable }) =>
      onBytes(loaded, lengthComputable ? total : 0);
    request.onload = () =>
      resolve(request.status >= 200 && request.status < 300 ? (request.response as Blob) : undefined);
    request.onerror = () => resolve(undefined);
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener('abort', abort);
    request.open('GET', url);
    request.send();
  });
}
