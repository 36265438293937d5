/** How a fake server treats requests: one behaviour for all, one each for the next ones, or whatever a function says. */
export type Script<Request, Behaviour extends { readonly kind: string }> =
  | Behaviour
  | readonly (Behaviour | undefined)[]
  | ((request: Request) => Behaviour | undefined);

/** Plays a script: gives the behaviour of each request in turn, or undefined where it is to be honest. */
export function playScript<Request, Behaviour extends { readonly kind: string }>(
  script: Script<Request, Behaviour> | undefined,
): (request: Request) => Behaviour | undefined {
  if (script === undefined) return () => undefined;
  if (isFunction(script)) return script;
  if (!isList(script)) return () => script;
  const next = script.values();
  return () => next.next().value ?? undefined;
}

function isFunction<Request, Behaviour extends { readonly kind: string }>(
  script: Script<Request, Behaviour>,
): script is (request: Request) => Behaviour | undefined {
  return typeof script === "function";
}

function isList<Behaviour extends { readonly kind: string }>(
  script: Behaviour | readonly (Behaviour | undefined)[],
): script is readonly (Behaviour | undefined)[] {
  return Array.isArray(script);
}
