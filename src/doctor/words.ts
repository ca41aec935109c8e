/** `1 card`, `2 cards` */
export const count = (number: number, one: string, ending = "s"): string =>
  `${number} ${one}${number === 1 ? "" : ending}`;

/** `79.6 GiB` */
export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
