import type { DriveSpec } from '../storage/drive-spec.ts';

/** A guest in the catalogue, prepared or not. */
export interface GuestEntry {
  name: string;
  title: string;
  description: string;
  /** Bytes of RAM it wants. */
  memory: number;
  /** True when its files are there. */
  prepared: boolean;
  /** 'debian': made from packages of a Debian mirror; 'toy': assembled from our own source, needs no download. */
  kind: 'debian' | 'toy';
  /** True for one that is not for people to boot: it has no console. */
  internal?: true;
  /** Bytes a page fetches to boot it; absent while it is not prepared. */
  download?: number;
}

/** build/guests/NAME/guest.json: written last, so a folder without it is no guest. File names are relative to it. */
export interface GuestManifest {
  version: 1;
  name: string;
  title: string;
  description: string;
  kind: 'debian' | 'toy';
  memory: number;
  append?: string;
  prompt?: string;
  files: { kernel?: GuestFile; initrd?: GuestFile; bios?: GuestFile; disk?: GuestDisk };
  /** Where it came from: package, version, SHA-256 of the .deb. */
  sources: { package: string; version: string; sha256: string }[];
  /** The Debian release the packages are of, and whether its signature was checked ("good, by …"; "not checked: …"). */
  archive?: { suite: string; version: string; date: string; signature: string };
  /** Changes when the way the guest is made does: a prepared guest of another recipe is made anew. */
  recipe: string;
}

/** A drive's image, read where it lies and never downloaded whole: no gzipped twin. */
export interface GuestDisk {
  /** File name, another one for other contents. */
  name: string;
  bytes: number;
  /** 16 hex digits at random: no two images have the same contents, since guests make them. */
  id: string;
  /** What it was made of: an image with the same key need not be made anew. */
  key: string;
  /** Where a boot reads it, in bytes, in that order: what a page fetches ahead. Absent where that was not found out. */
  first?: number[];
}

export interface GuestFile {
  /** File name; NAME.gz stands beside it for the wire. */
  name: string;
  bytes: number;
  gzipBytes: number;
  sha256: string;
}

/** A prepared guest's properties and where its files are: paths in Node, addresses of gzipped files in a browser. */
export interface PreparedGuest {
  name: string;
  /** Another one when any of its files is: what a warm start is kept for. */
  key: string;
  title: string;
  description: string;
  memory: number;
  append?: string;
  prompt?: string;
  kernel?: string | URL;
  initrd?: string | URL;
  bios?: string | URL;
  /** Its own drives, which come before others: an image, and where changes to it are kept. */
  drives?: DriveSpec[];
}
