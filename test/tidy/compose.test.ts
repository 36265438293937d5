import { parse, parseDocument } from "yaml";
import { describe, expect, it } from "vitest";
import { filesLike, textOf } from "./tree.ts";

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly retries?: number };
}

const text = textOf("docker-compose.yml");
const file = parse(text) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const services = Object.entries(file.services);

/** Ports on which these servers listen unless told otherwise, and which something else may have. */
const defaults = new Set([
  80, 8000, 30000, 2379, 2380, 8080, 9000, 9001, 9091, 19530, 50051, 5080, 5081, 5082,
]);
const published = /^127\.0\.0\.1:(\d+)(?:-(\d+))?:\d+(?:-\d+)?$/;

/** The ports of this machine that a service has. */
function portsOf({ ports = [] }: Service): readonly number[] {
  return ports.flatMap((port) => {
    const [, first = "", last = first] = published.exec(port) ?? [];
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, index) => Number(first) + index);
  });
}

describe("docker-compose.yml", () => {
  it("is YAML without mistakes or doubts", () => {
    const { errors, warnings } = parseDocument(text, { uniqueKeys: true });
    expect([...errors, ...warnings]).toEqual([]);
  });

  it("has the servers of the pipelines, each under its profile, and starts nothing without one", () => {
    const profiles = new Set(services.flatMap(([, { profiles: names = [] }]) => names));
    expect([...profiles].toSorted()).toEqual([
      "embedding",
      "milvus",
      "pinecone",
      "sglang",
      "vllm",
      "weaviate",
    ]);
    expect(services.filter(([, { profiles: names = [] }]) => names.length !== 1)).toEqual([]);
  });

  it("pins every image", () => {
    const loose = services.filter(([, { image }]) => !/:[^:/]*\d[^:/]*$/.test(image));
    expect(loose).toEqual([]);
  });

  it("binds every port to this machine only, and to none that a server has by default", () => {
    const all = services.flatMap(([, { ports = [] }]) => ports);
    expect(all.filter((port) => !published.test(port))).toEqual([]);
    const numbers = services.flatMap(([, service]) => portsOf(service));
    expect(numbers.filter((number) => defaults.has(number))).toEqual([]);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBeGreaterThan(4);
  });

  it("checks the health of every server, in as many tries as its start takes", () => {
    const without = services.filter(([, { healthcheck }]) => {
      return !["CMD", "CMD-SHELL"].includes(healthcheck?.test[0] ?? "") || !healthcheck?.retries;
    });
    expect(without).toEqual([]);
  });

  it("names volumes and servers that there are, of the same profile", () => {
    for (const [, { volumes = [], depends_on = {}, profiles }] of services) {
      for (const volume of volumes) expect(file.volumes).toHaveProperty(volume.split(":")[0] ?? "");
      for (const name of Object.keys(depends_on)) {
        expect(file.services[name]?.profiles).toEqual(profiles);
      }
    }
    const used = services.flatMap(([, { volumes = [] }]) => volumes.map((v) => v.split(":")[0]));
    expect(Object.keys(file.volumes).toSorted()).toEqual(used.toSorted());
  });
});

describe("the ready-made pipelines", () => {
  it("find the servers of docker-compose.yml where nothing else is said", () => {
    const addresses = filesLike("pipelines/*.yaml").flatMap((path) => defaultsIn(path));
    const local = addresses.filter(({ address }) => address !== "https://api.pinecone.io");
    const wrong = local.filter(({ address, profile }) => !isOffered(address, profile));
    expect(wrong).toEqual([]);
    const seen = new Set(addresses.map(({ path }) => path));
    expect([...seen].toSorted()).toEqual(
      ["fan-out", "milvus", "pinecone", "weaviate"].map((name) => `pipelines/${name}.yaml`),
    );
    expect(local.length).toBeGreaterThanOrEqual(7);
  });

  it.each(["sglang", "vllm"])("ask the embedding server of the profile %s", (name) => {
    const { embedder } = parse(textOf(`pipelines/${name}.yaml`)) as {
      readonly embedder: Readonly<Record<string, string>>;
    };
    const [, port = ""] = /:-http:\/\/localhost:(\d+)\/v1\}$/.exec(embedder["url"] ?? "") ?? [];
    const service = file.services[name];
    expect(service === undefined ? [] : portsOf(service)).toEqual([Number(port)]);
    expect(JSON.stringify(service)).toContain(embedder["model"]);
    expect(embedder["server"]).toBe(name);
  });

  it("would be noticed at another port", () => {
    expect(isOffered("127.0.0.1:29530", "milvus")).toBe(true);
    expect(isOffered("127.0.0.1:19530", "milvus")).toBe(false);
    expect(isOffered("http://127.0.0.1:28080", "milvus")).toBe(false);
    expect(isOffered("http://localhost:28080", "weaviate")).toBe(false);
  });
});

interface DefaultAddress {
  readonly path: string;
  readonly profile: string;
  readonly address: string;
}

/** What stands for a variable of an address, of sinks that have a server. */
function defaultsIn(path: string): DefaultAddress[] {
  const { sinks } = parse(textOf(path)) as {
    readonly sinks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return Object.values(sinks)
    .filter(({ type }) => Object.hasOwn(file.services, String(type)))
    .flatMap((sink) => {
      const texts = ["address", "url", "grpc_url", "control_url", "host"].map((key) => sink[key]);
      return texts.flatMap((value) => {
        const [, address = ""] = /^\$\{\w+:-(.*)\}$/.exec(String(value ?? "")) ?? [];
        return address === "" ? [] : [{ path, profile: String(sink["type"]), address }];
      });
    });
}

function isOffered(address: string, profile: string): boolean {
  const [, port = ""] = /^(?:http:\/\/)?127\.0\.0\.1:(\d+)$/.exec(address) ?? [];
  const service = file.services[profile];
  return service !== undefined && portsOf(service).includes(Number(port));
}
