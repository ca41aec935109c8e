import { accessSync, constants, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { below, linkBelow } from "../sources/local/below_root.ts";
import { codeOf } from "../sources/local/files.ts";

/** What came of reading a file: its text, or the code of the error. */
export type Read = { readonly text: string } | { readonly code: string };

/** The files below a prefix, each with the reason why it cannot be read. */
export class Files {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  read(path: string): Read {
    try {
      return { text: readFileSync(below(this.root, path), "utf8").trim() };
    } catch (error) {
      return { code: codeOf(error) };
    }
  }

  /** The text; `null` where there is none, for whatever reason. */
  text(path: string): string | null {
    const found = this.read(path);
    return "text" in found && found.text !== "" ? found.text : null;
  }

  names(folder: string): string[] {
    try {
      return readdirSync(below(this.root, folder)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    } catch {
      return [];
    }
  }

  /** What a link points to, as it stands there. */
  link(path: string): string | null {
    try {
      return readlinkSync(linkBelow(this.root, path));
    } catch {
      return null;
    }
  }

  /** The last part of {@link link}: of a device's `driver`, the driver's name. */
  linkName(path: string): string | null {
    const target = this.link(path);
    return target === null ? null : basename(target);
  }

  /**
   * `null` where the file may be read (and written to, for `rw`), else the code of the error. Only asks: opening a
   * device may wake it. The kernel counts the control group's list of devices in, whose answer is EPERM.
   */
  denied(path: string, how: "r" | "rw"): string | null {
    try {
      accessSync(below(this.root, path), how === "r" ? constants.R_OK : constants.R_OK | constants.W_OK);
      return null;
    } catch (error) {
      return codeOf(error);
    }
  }

  exists(path: string): boolean {
    try {
      accessSync(below(this.root, path), constants.F_OK);
      return true;
    } catch {
      return false;
    }
  }
}
