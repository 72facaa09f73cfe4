/** The forms of `review`: a new one is its file and a line here. */
import { type Formats, printJson } from "../output/formats";
import { toAnnotations } from "./annotations";
import { type MarkdownOptions, toMarkdown, verdictOf } from "./markdown";
import { type Review, reviewJson } from "./review";

export interface ReviewToPrint extends MarkdownOptions {
  readonly review: Review;
}

export const REVIEW_FORMATS: Formats<ReviewToPrint> = {
  markdown: {
    help: "a comment for a pull request (the default)",
    print: ({ review, ...options }) => toMarkdown(review, options),
  },
  github: {
    help: "annotations of GitHub Actions: one for each danger, and the verdict",
    print: ({ review, name }) => toAnnotations(review, name),
  },
  json: {
    help: "for programs",
    hasShortForm: true,
    print: ({ review }) => printJson(reviewJson(review, verdictOf(review))),
  },
};
