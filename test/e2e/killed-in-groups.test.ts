import { describeLab } from "../lab/describe-lab";
import { testKilledDeploys } from "./support/killed-deploys";

// As a fleet of more hosts than are sealed alone.
jest.mock("../../lib/terraform/layout", () => ({
  ...jest.requireActual<object>("../../lib/terraform/layout"),
  areSealedAlone: () => false,
}));

describeLab(
  "a deploy of a large fleet that is killed",
  () => testKilledDeploys({ tracker: "terraform_data", othersAre: "unconfirmed" }),
  { needs: "terraform" },
);
