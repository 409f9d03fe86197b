import { join } from 'node:path';
import { loadProject } from '../../src/config/load';

test('the sample project loads', async () => {
  const project = await loadProject(join(__dirname, 'fixtures/films.yaml'), {});
  expect(Object.keys(project.chains)).toEqual(['box-office']);
  expect(project.chains['box-office']!.stages.map((stage) => stage.model)).toEqual(['title-embedding', 'market', 'genre', 'gross']);
});
