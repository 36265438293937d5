import { type JsonSchema, markedAt } from "./json-schema.ts";
import type { Position, Problem } from "./problem.ts";
import { createRedact, credentialsIn, looksSecret, type Redact } from "./redact.ts";
import type { Registry } from "./registry.ts";
import { formatPath, type Node, type Path, type ScalarNode } from "./tree.ts";

/** What is gathered while a pipeline's tree is checked. */
export class Inspection {
  readonly root: Node;
  readonly registry: Registry;
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #used: ReadonlyMap<string, string>;
  readonly #secrets = new Set<string>();
  /** Variables that stand in fields that were looked at; what others stand for, nobody knows. */
  readonly #placed = new Set<string>();

  constructor(root: Node, registry: Registry, used: ReadonlyMap<string, string>) {
    this.root = root;
    this.registry = registry;
    this.#used = used;
  }

  report(at: Position, message: string): void {
    this.problems.push({ at, message });
  }

  add(problems: readonly Problem[]): void {
    for (const problem of problems) this.problems.push(problem);
  }

  warn(warnings: readonly Problem[]): void {
    for (const warning of warnings) this.warnings.push(warning);
  }

  /**
   * Notes the secrets below a node and warns of variables that look secret in fields that are not. Without a schema a
   * field is taken for a secret by its name.
   */
  visit(node: Node, path: Path, schema: JsonSchema | undefined, local: Path = []): void {
    if (node.kind === "list") {
      for (const [index, item] of node.items.entries()) {
        this.visit(item, path, schema, [...local, index]);
      }
    } else if (node.kind === "map") {
      for (const [key, entry] of node.entries)
        this.visit(entry.value, path, schema, [...local, key]);
    } else {
      this.#leaf(node, path, schema, local);
    }
  }

  /** Hides every secret seen so far, and variables that look secret or stand where nothing could be told of them. */
  redact(): Redact {
    const used = [...this.#used];
    const secrets = used.filter(([name]) => looksSecret(name)).map(([, value]) => value);
    const unplaced = used.filter(([name]) => !this.#placed.has(name)).map(([, value]) => value);
    return createRedact([...this.#secrets, ...secrets], unplaced);
  }

  #leaf(node: ScalarNode, path: Path, schema: JsonSchema | undefined, local: Path): void {
    const secret =
      schema === undefined ? looksSecret(String(local.at(-1))) : markedAt(schema, local, "secret");
    const credentials = typeof node.value === "string" ? credentialsIn(node.value) : [];
    for (const credential of credentials) this.#secrets.add(credential);
    for (const name of node.variables) {
      this.#placed.add(name);
      const value = this.#used.get(name);
      const isPart = value !== undefined && credentials.some((text) => text.includes(value));
      if ((secret || isPart) && value !== undefined) this.#secrets.add(value);
      if (!secret && looksSecret(name)) {
        this.warnings.push({
          at: node.at,
          message:
            `the variable \`${name}\` looks like a secret, but \`${formatPath([...path, ...local])}\` ` +
            "is not a secret field: it may be shown and stored",
        });
      }
    }
    if (secret && node.value !== undefined && node.value !== null)
      this.#secrets.add(String(node.value));
  }
}
