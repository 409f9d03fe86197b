import { ShoalError } from '../../domain/errors';
import type { ReleaseView } from '../../workflows/messages';
import { arrive, filmsByYear, inThousands, withShuffledGenres, type Film } from './films';
import type { Stage } from './stage';

/** What happened in a scene, for whoever checks the story. */
export interface Scene { name: string; expected: string; found: string }

/** Plays the story: later years arrive as new data, requests come, outcomes come late. Each scene says what happened, and why. */
export async function play(stage: Stage): Promise<Scene[]> {
  const years = filmsByYear();
  const of = (from: number, to = from): Film[] => [...years].filter(([year]) => year >= from && year <= to).flatMap(([, films]) => films);
  const scenes: Scene[] = [];
  const end = (name: string, expected: string, found: string) => scenes.push({ name, expected, found });
  const statusOf = (view: ReleaseView, number: number) => view.decisions.find((d) => d.number === number)?.status ?? 'nothing';

  stage.scene('The first release', 'Films up to 2003 are known. Four small models learn from them; their chain is judged end to end.');
  arrive(stage.folder, '1995-2003', of(1995, 2003));
  await stage.train(undefined, 'the first data');
  let view = await stage.view();
  if (!view.current) throw new ShoalError('NO_RELEASE', `The first release was not made: ${view.activity}`);
  stage.verdict(view.decisions[0]!);
  stage.say(`  ${await stage.predict(of(2004), { outcomes: true })} films of 2004 are asked for, and what they took becomes known.`);
  end('the first release', 'promoted', view.decisions[0]!.status);

  stage.scene('A good challenger', 'The films of 2004 arrive as data, and somebody has given `gross` more to go by.');
  arrive(stage.folder, '2004', of(2004));
  await stage.edit(['models', 'gross', 'inputs'], ['budget', 'release_date', 'genre.probabilities', 'market', 'running_time', 'mpaa_rating', 'distributor', 'director', 'source_material', 'creative_type']);
  view = await throughCanary(stage, { films: of(2005, 2006), outcomes: true });
  end('a good challenger', 'promoted', view.decisions[0]!.status);

  stage.scene('A poisoned batch', 'The films of 2005 arrive with their budgets in thousands of dollars.');
  const before = (await stage.view()).decisions[0]!.number;
  arrive(stage.folder, '2005', inThousands(of(2005)));
  await stage.train(['genre'], 'the films of 2005');
  view = await stage.view();
  end('a poisoned batch', `release ${before} stays`, view.decisions[0]!.number === before ? `release ${before} stays` : statusOf(view, before + 1));

  stage.scene('Shuffled labels', 'The budgets are mended. Now a join has gone wrong: the genres stand beside the wrong films.');
  arrive(stage.folder, '2005', withShuffledGenres(of(2005)));
  await stage.train(['genre'], 'the films of 2005, mended');
  view = await stage.view();
  end('shuffled labels', `release ${before} stays`, view.decisions[0]!.number === before ? `release ${before} stays` : statusOf(view, before + 1));

  stage.scene('Good on the holdout, bad in use', 'The films of 2005 as they are, and `gross` reads what a film has taken in the US so far.');
  arrive(stage.folder, '2005', of(2005));
  await stage.edit(['models', 'gross', 'inputs'], ['budget', 'release_date', 'genre.probabilities', 'market', 'running_time', 'mpaa_rating', 'distributor', 'director', 'us_gross']);
  view = await throughCanary(stage, { films: of(2006), outcomes: false });
  const promoted = view.decisions[0]!;
  if (promoted.status === 'promoted') {
    stage.say('  Then people ask before the films open, when nobody knows that yet. A while later it shows in what the films took.');
    const films = of(2007);
    await stage.predict(films, { outcomes: false, with: { us_gross: null } });
    await stage.tell(films);
    view = await stage.watch((v) => statusOf(v, promoted.number) === 'rolled back' || !v.bake);
    stage.verdict(view.decisions.find((d) => d.number === promoted.number)!);
  }
  end('good on the holdout, bad in use', 'rolled back', statusOf(view, promoted.number));

  stage.scene('An embedding that moves', 'Titles become vectors of other numbers. Whoever reads them has to be retrained, and all move together.');
  await stage.edit(['models', 'gross', 'inputs'], ['budget', 'release_date', 'genre.probabilities', 'market', 'running_time', 'mpaa_rating', 'distributor', 'director', 'source_material', 'creative_type']);
  arrive(stage.folder, '2006', of(2006));
  await stage.edit(['models', 'title-embedding', 'dimensions'], 32);
  await stage.edit(['models', 'title-embedding', 'gates'], [{ metric: 'recall@10', min: 0.2 }]);
  await stage.train(['title-embedding'], 'wider vectors');
  // Alone it is refused; what it calls for comes after.
  const { rollout } = await stage.watch((v) => v.rollout?.origin.kind === 'cascade');
  view = await liveUntilDecided(stage, { films: of(2008, 2010), outcomes: true, number: rollout!.number });
  end('an embedding that moves', 'promoted', view.decisions[0]!.status);
  return scenes;
}

/** A new set is made, and requests come until it has its verdict. */
async function throughCanary(stage: Stage, of: { films: Film[]; outcomes: boolean }): Promise<ReleaseView> {
  const before = (await stage.view()).decisions[0]?.number ?? 0;
  await stage.train();
  return liveUntilDecided(stage, { ...of, number: before + 1 });
}

async function liveUntilDecided(stage: Stage, { films, outcomes, number }: { films: Film[]; outcomes: boolean; number: number }): Promise<ReleaseView> {
  let over = false;
  const asking = stage.predict(films, { outcomes, until: () => over });
  try {
    const view = await stage.watch((v) => v.decisions.some((d) => d.number >= number), asking);
    stage.verdict(view.decisions[0]!);
    return view;
  } finally {
    over = true;
    stage.say(`  ${await asking} requests came in the meantime.`);
  }
}
