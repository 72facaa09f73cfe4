import { describeLab } from "../lab/describe-lab";
import { testKilledDeploys } from "./support/killed-deploys";
import { TRACKERS } from "./support/tracked-deployment";

describeLab(
  "a deploy that is killed",
  () => {
    describe.each(TRACKERS)("with %s", (tracker) => {
      testKilledDeploys({ tracker, othersAre: "locked" });
    });
  },
  { needs: "terraform" },
);
