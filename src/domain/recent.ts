const { ceil, min } = Math;

/** The newest numbers, kept in order of size: their quantiles and ranks, at a cost that does not grow with how many have come. */
export class Recent {
  private readonly sorted: Float64Array;
  private readonly ring: Float64Array;
  private seen = 0;

  constructor(private readonly size: number) {
    this.sorted = new Float64Array(size + 1);
    this.ring = new Float64Array(size);
  }

  get length(): number { return min(this.seen, this.size); }

  add(value: number): void {
    const { sorted, ring, size, length } = this;
    const at = this.countBelow(value);
    sorted.copyWithin(at + 1, at, length);
    sorted[at] = value;
    if (this.seen >= size) {
      const oldest = this.countBelow(ring[this.seen % size]!, length + 1);
      sorted.copyWithin(oldest, oldest + 1, length + 1);
    }
    ring[this.seen++ % size] = value;
  }

  /** The order statistic at or above a quantile; NaN of nothing. */
  quantile(q: number): number { return this.length === 0 ? NaN : this.sorted[ceil((this.length - 1) * q)]!; }

  /** The share of them that is smaller than a value, equal ones counted half. */
  rank(value: number): number {
    const below = this.countBelow(value);
    let upTo = below;
    while (upTo < this.length && this.sorted[upTo] === value) upTo++;
    return (below + upTo) / 2 / this.length;
  }

  private countBelow(value: number, length = this.length): number {
    let low = 0;
    for (let high = length; low < high;) {
      const middle = (low + high) >> 1;
      if (this.sorted[middle]! < value) low = middle + 1; else high = middle;
    }
    return low;
  }
}
