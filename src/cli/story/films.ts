import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ShoalError } from '../../domain/errors';
import type { Row } from '../../domain/prediction';
import { random } from '../../domain/random';
import { packageRoot } from '../../packageInfo';

const FILE = 'node_modules/vega-datasets/data/movies.json';
const CENTURY = 100;
/** The data were collected in 2011: later years are two-digit years of the wrong century. */
const LAST_YEAR = 2011;

/** A film as the data set has it, with what is needed to learn from it and to judge by it. */
export type Film = Record<string, unknown> & { Title: string; 'Release Date': string; 'Worldwide Gross': number };

/** The films by year of release, each year in the order of the calendar. */
export function filmsByYear(): Map<number, Film[]> {
  const file = path.join(packageRoot, FILE);
  if (!existsSync(file)) {
    throw new ShoalError('SOURCE_MISSING', `${file} is missing.`, { remedy: 'The story is played from a checkout of Shoal: run `npm start -- --story` there.' });
  }
  const years = new Map<number, Film[]>();
  for (const raw of JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[]) {
    const date = new Date(`${String(raw['Release Date'])} UTC`);
    if (raw.Title == null || Number.isNaN(date.getTime()) || !((raw['Worldwide Gross'] as number) > 0) || raw['Production Budget'] == null) continue;
    if (date.getUTCFullYear() > LAST_YEAR) date.setUTCFullYear(date.getUTCFullYear() - CENTURY);
    const year = date.getUTCFullYear();
    const film = { ...raw, Title: String(raw.Title), 'Release Date': date.toISOString().slice(0, 10) } as Film;
    years.set(year, [...(years.get(year) ?? []), film]);
  }
  for (const films of years.values()) films.sort((a, b) => (a['Release Date'] < b['Release Date'] ? -1 : 1));
  return years;
}

/** Writes films as a file of the story's source. */
export function arrive(folder: string, name: string, films: readonly Film[]): void {
  writeFileSync(path.join(folder, 'data', `films-${name}.json`), JSON.stringify(films));
}

/** What is known of a film before it opens, as a program asks for it. */
export const requestOf = (film: Film): Row => ({
  title: film.Title, release_date: film['Release Date'], budget: film['Production Budget'], running_time: film['Running Time min'], mpaa_rating: film['MPAA Rating'],
  distributor: film.Distributor, source_material: film.Source, creative_type: film['Creative Type'], director: film.Director, us_gross: film['US Gross'],
});

/** What came of it. */
export const outcomeOf = (film: Film): Row => ({ title: film.Title, release_date: film['Release Date'], worldwide_gross: film['Worldwide Gross'] });

/** Budgets in thousands of dollars, as another department keeps them. */
export const inThousands = (films: readonly Film[]): Film[] => films.map((film) => ({ ...film, 'Production Budget': (film['Production Budget'] as number) / 1000 }));

/** Genres dealt out anew, as by a join that went wrong. */
export function withShuffledGenres(films: readonly Film[], seed = 1): Film[] {
  const next = random(seed);
  const genres = films.map((film) => film['Major Genre']);
  for (let i = genres.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [genres[i], genres[j]] = [genres[j], genres[i]];
  }
  return films.map((film, i) => ({ ...film, 'Major Genre': genres[i] }));
}
