// Every word the page shows.
import type { StopReason, VmState } from 'hypertab';

const filesOf = (count: number) => (count === 1 ? '1 file' : `${count} files`);

export const strings = {
  title: 'Hypertab',
  tagline: 'RISC-V machines in a browser tab',
  notIsolated:
    'This page is not cross-origin isolated: machines work, with coarser clocks and with messages instead of shared memory.',
  guestsTab: 'Guests',
  tabList: 'Guests and machines',
  guestsHeading: 'Start a machine',
  guestsIntro: 'Each machine runs in this tab, in a worker of its own. Nothing is sent anywhere.',
  otherGuests: 'More guests',
  loadingGuests: 'Looking for guests …',
  boot: 'Boot',
  bootGuest: (title: string) => `Boot ${title}`,
  ready: 'Ready',
  notPrepared: 'Not prepared',
  noDownload: 'No download',
  download: (size: string) => `${size} download`,
  memory: (size: string) => `${size} memory`,
  prepareHint: 'To prepare it, run this in the project and reload the page:',
  prepareCommand: (name: string) => `npx hypertab guest prepare ${name}`,
  noDebian:
    'No Debian guest is prepared here (its packages come from a Debian mirror, which may have been out of reach). The toy guests below are built from source and run as they are.',
  noGuests: 'No guests are prepared here. Run “npm start” in the project, then reload the page.',
  catalogueFailed: (why: string) =>
    `The list of guests could not be read (${why}). Run “npm start” in the project, then reload the page.`,
  reloadList: 'Look again',
  dismiss: 'Dismiss',

  snapshotsHeading: 'Saved machines',
  noSnapshots: 'None yet. “Snapshot” saves a running machine as it is, to go on from there at any time.',
  snapshotRestore: 'Restore',
  snapshotExport: 'Export',
  snapshotRemove: 'Remove',
  snapshotImport: 'Import a file …',
  snapshotDropHint: 'or drop an .htvm file here',
  snapshotImporting: (name: string) => `Checking ${name} …`,
  snapshotImported: (name: string) => `${name} is here now.`,
  snapshotRemoved: (name: string) => `${name} is removed.`,
  snapshot: 'Snapshot',
  snapshotHint: 'Saves the machine as it is, in this browser; it runs on',
  clone: 'Clone',
  cloneHint: 'Makes another machine that goes on from where this one is',
  saving: (percent: string) => `Saving, ${percent}`,
  saved: (size: string, pause: string) => `Saved: ${size}. It stood still for ${pause}.`,

  start: 'Start',
  pause: 'Pause',
  resume: 'Resume',
  reset: 'Reset',
  shutDown: 'Shut down',
  shutDownHint: 'Asks the guest to end its programs and power off',
  powerOff: 'Power off',
  close: 'Close',
  retry: 'Try again',
  controls: 'Machine controls',
  figures: 'Live figures',
  consoleLabel: (name: string) => `Console of ${name}`,
  consoleHint: 'Ctrl+Shift+F finds · Ctrl+Shift+C and V copy and paste · Ctrl+Shift+E leaves the console',
  outputSkipped: '[output came faster than it could be shown; some was skipped]',
  find: 'Find',
  findLabel: 'Find in the console',
  findNext: 'Next',
  findPrevious: 'Previous',
  findClose: 'Close find',
  findNone: 'nothing found',
  findCount: (index: number, count: number) => `${index} of ${count}`,

  files: 'Files in and out of the guest',
  addFiles: 'Add files …',
  addFolder: 'Add a folder …',
  dropHint:
    'Files dropped here are in /mnt/drop in the guest; what it writes to /mnt/drop/out can be saved here.',
  filesAdding: (count: number, size: string) => `Adding: ${filesOf(count)} so far, ${size} …`,
  filesAdded: (count: number, size: string) => `${filesOf(count)} (${size}) added to /mnt/drop`,
  filesWaiting: (count: number, size: string) => `${filesOf(count)} (${size}) will be in /mnt/drop`,
  filesFailed: (why: string) => `Not all went well with the files: ${why}`,
  offersHeading: 'From the guest:',
  saveFile: (path: string) => `Save ${path}`,
  moreOffers: (count: number) => `and ${count} more`,

  downloading: 'Downloading',
  downloadProgress: (received: string, total: string, rate: string) => `${received} of ${total}, ${rate}/s`,
  downloadLabel: 'Download of the guest’s files',
  starting: 'Starting',
  failed: 'Failed',
  meters: {
    mips: 'MIPS',
    cpu: 'Host CPU',
    memory: 'Memory',
    uptime: 'Uptime',
    instructions: 'Instructions',
    boot: 'Boot to prompt',
  },
  moreMeters: {
    resident: 'Memory that holds anything',
    code: 'Translated code',
    throttled: 'Waited for its share',
    disk: 'Disk, read and written',
    network: 'Network, in and out',
    exits: 'Exits by cause',
  },
  moreFigures: 'More figures',
  shareOfCore: 'May use of a core',
  perSecond: (one: string, other: string) => `${one}/s, ${other}/s`,
  exitCounts: (mmio: string, sbi: string, wait: string) => `device ${mmio}, SBI ${sbi}, waiting ${wait}`,
  shuttingDown: 'Asked to shut down.',
  nothing: '–',
  switchedOff: 'Switched off by you.',
  fileMissing: (path: string, status: number, guest: string) =>
    `The server has no ${path} (status ${status}). Prepare the guest again with “npx hypertab guest prepare ${guest}”, then try again.`,
  serverGone: (path: string) =>
    `${path} could not be fetched: the server does not answer. Is “npm start” still running? Then try again.`,
  fileCut: (path: string, received: string, expected: string) =>
    `${path} broke off after ${received} of ${expected}. Try again.`,
  machineLost: (why: string) =>
    `This machine is lost: ${why}. “Try again” boots it anew; other machines go on.`,
} as const;

/** A machine's state in a word. */
export function stateWord(state: VmState): string {
  const words: Record<VmState, string> = {
    created: 'Not started',
    running: 'Running',
    paused: 'Paused',
    stopped: 'Stopped',
    destroyed: 'Closed',
  };
  return words[state];
}

/** Why a machine stopped, in a sentence. */
export function reasonSentence(reason: StopReason): string {
  switch (reason.kind) {
    case 'poweroff':
      return 'The guest powered itself off.';
    case 'reboot':
      return 'The guest asked for a reboot.';
    case 'exit':
      return reason.code === 0
        ? 'The guest’s program ended with success.'
        : `The guest’s program ended with exit code ${reason.code}.`;
    case 'panic':
      return `The guest’s kernel panicked: ${reason.message}`;
    case 'fault':
      return `The guest crashed: ${reason.message}`;
    case 'limit':
      return `A limit was reached: ${reason.message}`;
  }
}
