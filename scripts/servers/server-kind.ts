/** Ports of a server by what they are for; all on 127.0.0.1. */
export type Ports<Port extends string = string> = Readonly<Record<Port, number>>;

/** Where one instance of a server lives. It stays the same when the server is killed and started again. */
export interface ServerPlace<Port extends string = string> {
  /** What the installation made. Read only: other instances use it too. */
  readonly installed: string;
  /** The instance's own folder, for its data and settings; it goes when the instance is stopped. */
  readonly scratch: string;
  readonly ports: Ports<Port>;
}

/** A program to start. Of our environment it gets no more than `PATH`; `environment` comes on top. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** How one kind of server is installed, started, found ready and stopped. */
export interface ServerKind<Port extends string = string> {
  readonly name: string;
  readonly version: string;
  readonly portNames: readonly Port[];
  /** The program, relative to the installed folder: who finds it there takes the server for installed. */
  readonly program: string;
  /** What to expect of the first installation, for the one who waits: `about 20 s`. */
  readonly installTakes: string;
  /** How a well-behaved end is asked for. */
  readonly stopSignal: NodeJS.Signals;
  /** Fills an empty folder, which is moved to its place afterwards: nothing in it may know its own path. */
  install(folder: string): Promise<void>;
  /** Called before every start. Writes settings into the scratch folder where the program wants a file. */
  launch(place: ServerPlace<Port>): Promise<Launch>;
  /** Resolves when the server does its work, and rejects while it does not. Called again and again. */
  ready(place: ServerPlace<Port>, signal: AbortSignal): Promise<void>;
  /** What a client is given: a URL, or host and port. */
  address(ports: Ports<Port>): string;
  /** What the process of this id leaves outside its scratch folder. */
  litter?(place: ServerPlace<Port>, processId: number): readonly string[];
}
