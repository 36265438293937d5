export declare const allocator: Readonly<Record<string, string>>;
export declare const nodeOptions: readonly string[];
