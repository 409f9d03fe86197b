import { rm } from 'node:fs/promises';
import { readTrainerOutput, type TrainerInput } from '../domain/trainer';
import type { ImportedFile, TrainedVersion } from '../domain/version';
import { acceptFile } from './acceptFile';
import { beating } from './beating';
import type { Data } from './inputs';
import { recall } from './memory';
import { fileWithin } from './outsideFiles';
import { noteVersion } from './publish';
import { foreignIdentity, type ForeignTraining } from './prepareTraining';
import { versionArtifacts } from './train';

export const createAcceptVersion = (data: Data) => {
  const accept = async (identity: unknown, make: () => Promise<TrainedVersion>): Promise<TrainedVersion> => {
    const { result, reused } = await recall(data.store, 'trainings', identity, make, ({ version }) => versionArtifacts(version, data.store));
    await noteVersion(data.store, result.version);
    return { ...result, summary: { ...result.summary, reused } };
  };

  return {
    /** Makes a version of what a model's own trainer answered, when that keeps the contract (domain/trainer.ts). */
    acceptVersion: ({ job, isRead, input, answer, seconds }: ForeignTraining & { input: TrainerInput; answer: unknown; seconds: number }): Promise<TrainedVersion> =>
      beating(async () => {
        const { activity } = job.model.trainer!;
        const maker = `The trainer ${activity} of ${job.model.name} broke the contract`;
        const made = await accept(foreignIdentity({ job, isRead }), async () => {
          const { onnx, outputs, ...said } = readTrainerOutput(answer, maker);
          return acceptFile({
            job, maker, seconds, isRead, ...said,
            onnx: await fileWithin({ folder: input.folder, file: onnx, maker, what: 'onnx' }),
            outputs: outputs === undefined ? undefined : await fileWithin({ folder: input.folder, file: outputs, maker, what: 'outputs' }),
            by: { kind: 'trainer', name: activity, metrics: said.metrics },
          }, data);
        });
        await rm(input.folder, { recursive: true, force: true });
        return made;
      }),

    /** Makes a version of a ready ONNX file. */
    importVersion: ({ job, isRead, file }: ForeignTraining & { file: ImportedFile }): Promise<TrainedVersion> =>
      beating(() => accept({ ...foreignIdentity({ job, isRead }), file: { ...file, onnx: file.onnx.sha256, outputs: file.outputs?.sha256 } }, async () => acceptFile({
        job, isRead, maker: `${file.name} can't be a version of ${job.model.name}`, seconds: 0, classes: file.classes, unseen: file.unseen,
        onnx: await data.store.localFile(file.onnx),
        outputs: file.outputs && (await data.store.localFile(file.outputs)),
        by: { kind: 'file', name: file.name },
      }, data))),
  };
};
