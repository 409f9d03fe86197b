/// <reference lib="dom" />
/** Runs in the page: what a person would notice, as data. */
export function lookAt() {
  type Rgb = [number, number, number];
  const parse = (colour: string): { rgb: Rgb; alpha: number } => {
    const [r = 0, g = 0, b = 0, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return { rgb: [r, g, b], alpha };
  };
  const over = (top: { rgb: Rgb; alpha: number }, below: Rgb): Rgb => below.map((c, i) => top.alpha * top.rgb[i]! + (1 - top.alpha) * c) as Rgb;
  const luminance = (rgb: Rgb): number => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4)) as Rgb;
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: Rgb, b: Rgb): number => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
    return (high + 0.05) / (low + 0.05);
  };
  const pageColour = parse(getComputedStyle(document.body).backgroundColor).rgb;
  const behind = (element: Element): Rgb => {
    const chain: Element[] = [];
    for (let at: Element | null = element; at && at !== document.body; at = at.parentElement) chain.unshift(at);
    return chain.reduce((colour, at) => (at instanceof SVGElement ? colour : over(parse(getComputedStyle(at).backgroundColor), colour)), pageColour);
  };
  /** What is drawn before a text of a chart, where its middle is. */
  const behindText = (text: SVGElement): Rgb => {
    const box = text.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    let colour = behind(text.ownerSVGElement!);
    for (const shape of Array.from(text.ownerSVGElement!.querySelectorAll('path,rect'))) {
      if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) break;
      const area = shape.getBoundingClientRect();
      const style = getComputedStyle(shape);
      if (style.fill === 'none' || x < area.left || x > area.right || y < area.top || y > area.bottom) continue;
      const fill = parse(style.fill);
      colour = over({ ...fill, alpha: fill.alpha * Number(style.fillOpacity) * Number(style.opacity) }, colour);
    }
    return colour;
  };

  const pale: string[] = [];
  for (const element of Array.from(document.querySelectorAll('body *'))) {
    const own = Array.from(element.childNodes).filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent!.trim()).join(' ').trim();
    const box = element.getBoundingClientRect();
    if (own === '' || box.width <= 1 || box.height <= 1) continue;
    const style = getComputedStyle(element);
    const isDrawn = element instanceof SVGElement;
    const ratio = contrast(parse(isDrawn ? style.fill : style.color).rgb, isDrawn ? behindText(element) : behind(element));
    if (ratio < 4.5) pale.push(`${own.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }

  const box = (element: Element) => { const b = element.getBoundingClientRect(); return { width: b.width, height: b.height }; };
  const outside: string[] = [];
  for (const svg of Array.from(document.querySelectorAll('svg'))) {
    const frame = svg.getBoundingClientRect();
    for (const text of Array.from(svg.querySelectorAll('text'))) {
      const b = text.getBoundingClientRect();
      if (b.left < frame.left - 1 || b.right > frame.right + 1 || b.top < frame.top - 1 || b.bottom > frame.bottom + 1) outside.push(text.textContent!);
    }
  }
  return {
    pale,
    outside,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    parts: Array.from(document.querySelectorAll('section, figure, figure svg, figcaption, h1, h2, h3, summary, .facts, .verdict, table')).map((e) => ({ name: `${e.tagName}#${e.id}`, inDetails: e.closest('details') !== null, ...box(e) })),
    dark: luminance(pageColour) < 0.2,
    scripts: document.scripts.length,
    handlers: Array.from(document.querySelectorAll('*')).filter((e) => Array.from(e.attributes).some((a) => a.name.startsWith('on'))).length,
  };
}
