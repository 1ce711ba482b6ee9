/** Where to listen: the parsed form of an address. `postern` holds the grammar. */
export type ListenTarget =
  | {
      readonly transport: 'tcp';
      readonly host: string;
      /** 0: any free port. */
      readonly port: number;
      /** Who may connect, as CIDR; without it only loopback addresses can be listened on. */
      readonly allow?: readonly string[];
      readonly backlog?: number;
    }
  | {
      readonly transport: 'unix';
      readonly path: string;
      /** Without it 0660. */
      readonly mode?: number;
      /** A name or a number. */
      readonly owner?: string;
      readonly group?: string;
      readonly backlog?: number;
    }
  | {
      readonly transport: 'fd';
      readonly fd: number;
      /** Who may connect, as CIDR, over TCP alone; without it anybody. */
      readonly allow?: readonly string[];
    }
  /** A socket that systemd passes, by its name; '': the only one. */
  | { readonly transport: 'systemd'; readonly name: string };

/** What was bound: the port that the system chose, for instance. */
export type BoundAddress =
  | { readonly transport: 'tcp'; readonly host: string; readonly port: number }
  | { readonly transport: 'unix'; readonly path: string }
  | { readonly transport: 'fd'; readonly fd: number }
  | { readonly transport: 'systemd'; readonly name: string };
