export const COLON = 0x3a;
export const COMMA = 0x2c;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;

/** The value that the variable SCGI must have. */
export const VERSION = '1';
