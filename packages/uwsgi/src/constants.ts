/** modifier1: what a block is. Everything else of uWSGI's list selects code, files or processes, and is refused. */
export const Modifier = { REQUEST: 0, SCRIPT_NAME: 30, PING: 100 } as const;

export const HEADER_LENGTH = 4;
/** A length has 16 bits. */
export const MAX_BLOCK = 65_535;

/** modifier2 of the answer to a ping. */
export const PONG = 1;
