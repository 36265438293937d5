export declare function refuseNode(process: {
  readonly version: string;
  readonly execPath: string;
  /** Whether sluice runs from its sources. */
  readonly checkout: boolean;
}): string | undefined;
