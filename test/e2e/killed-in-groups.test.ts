import { describeLab } from "../lab/describe-lab";
import { testKilledDeploys } from "./support/killed-deploys";
import { TRACKERS } from "./support/tracked-deployment";

// As a fleet of more hosts than are sealed alone.
jest.mock("../../lib/terraform/layout", () => ({
  ...jest.requireActual<object>("../../lib/terraform/layout"),
  areSealedAlone: () => false,
}));

describeLab(
  "a deploy of a large fleet that is killed",
  () => {
    describe.each(TRACKERS)("with %s", (tracker) => {
      testKilledDeploys({ tracker, othersAre: "unconfirmed" });
    });
  },
  { needs: "terraform" },
);
