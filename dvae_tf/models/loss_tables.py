"""The losses of `DisentangledVAE`: which of them trains which network (Zheng & Sun, section 3)."""

from dvae_tf.models.objectives import Loss, Objectives
from dvae_tf.models.recipe import Recipe

MIXTURE = ("encoder_s", "prior_means", "prior_variances")
# The losses of L_GM, trained on every batch.
MIXTURE_OBJECTIVES = Objectives(
    (
        Loss("accuracy", needs_label=True),
        Loss("classification", trains=MIXTURE, needs_label=True, in_total=True),
        Loss("likelihood", trains=MIXTURE, in_total=True),
    )
)
# What E_U learns from moved images, if it finds poses: alone first, then in every joint step.
POSE_OBJECTIVES = Objectives((Loss("equivariance", trains=("encoder_u",)),))


def joint_objectives(recipe: Recipe) -> Objectives:
    """The table of all other losses, trained on every n_gm-th batch.

    Args:
        recipe: Recipe, whose `bounded`, `flow`, `two_states`, `exemplars` and weight of "cycle"
            change the table.

    Returns:
        Objectives.
    """
    encoders = ("encoder_u",) if recipe.decodes_class_vectors else ("encoder_s", "encoder_u")
    of_z_s = (
        Loss("separation", trains=("prior_means", "prior_variances"))
        if recipe.bounded
        else Loss("joint_likelihood", trains=("encoder_s",))
    )
    table = (
        Loss("reconstruction", trains=(*encoders, "decoder"), in_total=True),
        of_z_s,
        Loss("kl", trains=("encoder_u",), in_total=True),
        Loss("latent_confusion", trains=("encoder_u",)),
        Loss("latent_classification", trains=("latent_classifier",), needs_label=True),
    )
    of_flow = (Loss("flow_likelihood", trains=("flow",)),) if recipe.flow else ()
    # Through the flow, whose condition is z_s, the losses of E_U depend on E_S as well.
    independent = () if recipe.flow else (encoders,)
    apart = ("encoder_s",) if recipe.two_states and not recipe.decodes_class_vectors else ()
    of_cycle = (Loss("cycle", trains=("encoder_u", "decoder")),) if recipe.has_cycle else ()
    of_exemplars = (Loss("exemplars"),) if recipe.exemplars else ()
    return Objectives((*table, *of_flow, *of_cycle, *of_exemplars), independent, apart)
