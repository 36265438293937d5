/** A JSON value. `undefined`, functions, BigInt and non-finite numbers do not survive JSON and are not allowed. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A JSON object; the form of free metadata. */
export type JsonObject = { readonly [key: string]: Json };
