"""The variational autoencoder with a label-relevant and a label-irrelevant code."""

import inspect
import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from dvae_tf import losses
from dvae_tf.data.pipeline import damage_named
from dvae_tf.models import flow_fit, poses, replicas
from dvae_tf.models.adversarial import adversarial_losses
from dvae_tf.models.augmentation import shifted
from dvae_tf.models.batch_check import plain_errors
from dvae_tf.models.exemplars import partners, warn_if_none
from dvae_tf.models.loss_tables import MIXTURE_OBJECTIVES, POSE_OBJECTIVES, joint_objectives
from dvae_tf.models.recipe import Recipe
from dvae_tf.models.samples import cycle, sampled
from dvae_tf.models.two_codes import TwoCodeModel
from dvae_tf.networks.conditional_flow import in_training
from dvae_tf.networks.placed_encoder_u import PlacedEncoderU
from dvae_tf.networks.seeding import seeded_initializers
from dvae_tf.priors import draw, gaussian, standard_normal

# Folded into the seed, so that z_s, the choice of partners and moves get other noise than z_u.
SEED_OF_Z_S, SEED_OF_PARTNERS, SEED_OF_MOVES = 1, 2, 3


@keras.saving.register_keras_serializable("dvae_tf")
class DisentangledVAE(TwoCodeModel):
    """Splits what a label explains from what it does not, after Zheng & Sun (CVPR 2019).

    Every input has two codes: z_s, label relevant, whose prior is a Gaussian mixture with one
    component per class; and z_u, label irrelevant, whose prior is the standard normal. A decoder
    combines them, and an adversarial classifier removes the class from z_u.

    There are two recipes. "paper" is Lr-LiVAE as published. With "balanced", z_s is the mean of a
    component, so that it carries the class and nothing else; and z_u = T(E_U(x); z_s), where the
    flow T maps the codes of every class onto N(0, I), so that z_u does not tell the class. The
    flow is inverted before the decoder. See docs/how-well-it-works.md.

    Labels may be missing (-1). An input without a label adds its density under the whole mixture
    to L_GM, and the decoder gets the class predicted from z_s; losses that need a label are means
    over the labelled inputs.

    The model is ready to fit when made: `compile` need not be called. An epoch of `fit` is one pass
    over the dataset; each batch is a step. Every batch trains E_S and the mixture on L_GM; every
    n_gm-th batch, counted across epochs, trains everything else as well. So three batches are one
    iteration of the published recipe (n_gm = 3), and 320,000 published iterations are 960,000
    steps of `fit`. With preset "placed", the first batches train L_GM and poses alone. With
    "balanced", the learning rates fall over each call of `fit`, and after the last epoch the flow
    is fitted once more, to the codes of the trained encoders.

    `fit` and `evaluate` report these means over the examples (validation with the prefix `val_`):
    `loss` (L_GM + the weighted L_rec and L_kl: the autoencoder's losses without the adversarial
    ones), `accuracy` (of the mixture posterior p(c | z_s)), `classification`,
    `likelihood`, `reconstruction`, `kl`, `latent_classification`, `latent_confusion`; "paper"
    adds `joint_likelihood`, "balanced" `separation` and `flow_likelihood`, a recipe with exemplars
    `exemplars`, the share of inputs that got the z_s of another, preset "placed" `equivariance`.
    Evaluation draws the same noise every time.

    Args:
        shape: sequence of int, the shape of one input: (height, width, channels) of images of 8 to
            512 pixels a side, uint8 or floats in [-1, 1], or of any other tensor, such as
            (features,), whose columns are standardised.
        num_classes: int, number of classes C.
        preset: str, the family of networks: "toy", "compact", "placed" or "paper" (see
            `dvae_tf.networks.preset`). Defaults to "compact".
        recipe: str or dvae_tf.models.Recipe, the numbers of the training. Defaults to "balanced".
        width: float, the factor on the preset's numbers of filters and units. Defaults to 1.
        latent_dim_s, latent_dim_u: int, sizes of z_s and z_u. Default to the preset's.
        encoder_s: keras.Model, x -> z_s [batch, latent_dim_s], in place of the preset's.
        encoder_u: keras.Model, x -> (mean, stddev), each [batch, latent_dim_u], stddev positive.
        decoder: keras.Model, [batch, latent_dim_s + latent_dim_u] -> [batch, *shape].
        latent_classifier: keras.Model, z_u -> logits [batch, num_classes].
        flow: keras.Model such as `dvae_tf.networks.ConditionalFlow`, if the recipe uses one.
        seed: int in [0, 2**32), for the initial weights and all noise. Defaults to that of
            `keras.utils.set_random_seed`, or 0 if that was not called.
        class_names: sequence of str, the names of the classes in the order of the labels. Defaults
            to "0", "1", ...
        background: str, the colour that transparent images are composited on. Defaults to "white".

    Raises:
        ValueError: if a name is unknown, a shape does not fit the preset, or a given network's
            output does not fit.

    Examples:
        >>> model = DisentangledVAE(shape=(2,), num_classes=3, preset="toy")
        >>> model.fit(np.zeros((6, 2)), np.array([0, 1, 2, 0, 1, 2]))  # doctest: +SKIP
        >>> model.generate([0, 1, 2], seed=0).shape
        TensorShape([3, 2])
    """

    mixture_objectives = MIXTURE_OBJECTIVES

    def __init__(
        self,
        shape: Sequence[int],
        num_classes: int,
        preset: str = "compact",
        recipe: str | Recipe = "balanced",
        width: float = 1.0,
        latent_dim_s: int | None = None,
        latent_dim_u: int | None = None,
        encoder_s: keras.Model | None = None,
        encoder_u: keras.Model | None = None,
        decoder: keras.Model | None = None,
        latent_classifier: keras.Model | None = None,
        flow: keras.Model | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(shape, num_classes, preset, recipe, width, seed, **kwargs)
        self._expect_sizes(latent_dim_s=latent_dim_s, latent_dim_u=latent_dim_u)
        with seeded_initializers(self.seed):
            self._make_encoders(encoder_s, encoder_u, latent_dim_s, latent_dim_u)
            self._make_decoder_and_classifier(decoder, latent_classifier)
            self.flow = None
            if self.recipe.flow:
                sizes = self.latent_dim_u, self.latent_dim_s
                self.flow = flow or self._preset().flow(*sizes, self.seed)
        # The value of `batches_trained` at the last separate fit of the flow.
        self.flow_fitted_at = self._counter("flow_fitted_at", "int64")
        self.joint_objectives = joint_objectives(self.recipe)
        if self.posed:
            self.joint_objectives = self.joint_objectives.with_losses(*POSE_OBJECTIVES.table)
        self._complete()

    def fit(self, *args, fit_flow: bool = True, **kwargs):
        """Trains the model, then, if the recipe says so, fits the flow to the final codes.

        Args:
            *args, **kwargs: as in `Trainer.fit`.
            fit_flow: bool, whether the flow is fitted separately after the last epoch (see
                `fit_flow`). Defaults to True.

        Returns:
            keras.callbacks.History.

        Raises:
            ValueError: as `Trainer.fit`.
        """
        given = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        fit_flow = fit_flow and self.flow is not None and self.recipe.flow_share > 0.0
        if fit_flow:  # Unsuitable data is refused before the training, not after it.
            flow_fit.expect_readable_again(given.get("x"))
            flow_fit.expect_readable_again(given.get("validation_data"))
        before = int(self.batches_trained.numpy())
        history = super().fit(*args, **kwargs)
        warn_if_none(self.recipe, history)
        if not (fit_flow and history.epoch):
            return history
        fitted, held_out = (given["x"], given.get("y")), given.get("validation_data")
        if held_out is None and given.get("validation_split"):
            fitted, held_out = flow_fit.split_as_keras(*fitted, given["validation_split"])
        # The length of a resumed training includes the epochs before `initial_epoch`.
        batches = (int(self.batches_trained.numpy()) - before) / len(history.epoch)
        self.fit_flow(
            *fitted,
            validation_data=held_out,
            steps=math.ceil(self.recipe.flow_share * batches * (history.epoch[-1] + 1)),
            most_batches=given.get("steps_per_epoch"),
            validation_steps=given.get("validation_steps"),
            verbose=given.get("verbose", "auto"),
        )
        return history

    @property
    def posed(self) -> bool:
        """Whether a part of z_u is a pose, which E_U is trained to find in moved images."""
        return isinstance(self.encoder_u, PlacedEncoderU)

    @property
    def learns_poses_first(self) -> bool:
        """Whether the first batches of the model's first training train poses."""
        return self.posed and self.recipe.pose_share > 0.0

    @property
    def needs_flow_fit(self) -> bool:
        """Whether the recipe has a separate fit of the flow that is still to be done."""
        wanted = self.flow is not None and self.recipe.flow_share > 0.0
        return wanted and int(self.flow_fitted_at.numpy()) != int(self.batches_trained.numpy())

    def fit_flow(self, x, y=None, **options) -> dict:
        """Fits the flow to the codes of encoders that no longer change.

        Args:
            x, y: as in `fit`; the flow is fitted to the codes of this data.
            **options: of `dvae_tf.models.flow_fit.fit_flow`.

        Returns:
            dict, as `dvae_tf.models.flow_fit.fit_flow`.

        Raises:
            ValueError: if the model has no flow.
        """
        if self.flow is None:
            raise ValueError("The model has no flow; take a recipe with flow=True.")
        with damage_named(), plain_errors():
            return flow_fit.fit_flow(self, x, y, **options)

    def train_step(self, data, stage: str = "joint") -> dict:
        """One step of `fit`: L_GM, then everything else (Zheng & Sun, CVPR 2019, algorithm 1).

        benchmarks/reference_step.py is the same without schedules, missing labels or replicas.

        Args:
            data: (x, label) or (x, label, weight).
            stage: str, what is trained: "mixture", L_GM alone; "poses", E_U's poses as well; or
                "joint", everything. Defaults to "joint"; `fit` passes the others in the first
                batches of a training with poses, and between every n_gm-th batch and the next.

        Returns:
            dict of metric name to float tensor, means since the epoch began.
        """
        x, label, weight = self._begin_step(data)
        with tf.GradientTape(persistent=True) as tape:
            values = self._mixture_losses(x, label, training=True)
            totals = self.mixture_objectives.totals(values, weight, self)
        self.mixture_objectives.apply_gradients(tape, totals, self)
        if stage == "poses":
            self.poses_trained.assign_add(1)
            values |= self._train_poses(x, weight)
        elif stage == "joint":
            seed = replicas.step_seed(self.seed_generator)
            if self.recipe.shift_joint:
                x = self._shifted(x)
            with tf.GradientTape(persistent=True) as tape:
                joint_values = self._joint_losses(x, label, seed, training=True)
                totals = self.joint_objectives.totals(joint_values, weight, self)
            self.joint_objectives.apply_gradients(tape, totals, self)
            values |= joint_values
        return self._end_step(values, weight)

    def _train_poses(self, x, weight):
        """Trains E_U to find poses; returns the loss: {name: tensor [batch]}."""
        seed = replicas.step_seed(self.seed_generator)
        with tf.GradientTape(persistent=True) as tape:
            *_, found = poses.encoded_with_moves(self.encoder_u, x, seed, training=True)
            values = {"equivariance": found}
            totals = POSE_OBJECTIVES.totals(values, weight, self)
        finders = {"encoder_u": self.encoder_u.pose_weights}
        POSE_OBJECTIVES.apply_gradients(tape, totals, self, finders)
        return values

    def _mixture_losses(self, x, label, training):
        """The losses of L_GM: {name: tensor [batch]}."""
        if training:
            x = self._shifted(x)
        z_s = self.encoder_s(x, training=training)
        log_prob, position = self._log_prob(z_s, label, training)
        hits = tf.equal(tf.argmax(log_prob, axis=-1, output_type=tf.int32), position)
        correction = math.log(self.num_classes / log_prob.shape[-1])
        return {
            "accuracy": tf.cast(hits, tf.float32),
            "classification": losses.classification(log_prob, position),
            "likelihood": tf.where(
                label >= 0,
                losses.likelihood(log_prob, position),
                losses.marginal_likelihood(log_prob) + correction,
            ),
        }

    def _shifted(self, x):
        """Images, each moved at random by the recipe's `shift`."""
        if not self.recipe.shift or len(self.sample_shape) != 3:
            return x
        return shifted(x, self.recipe.shift, replicas.step_seed(self.seed_generator))

    def _log_prob(self, z_s, label, training):
        """The log-densities that a step compares, and the position of the label's among them."""
        count = min(self.recipe.sampled_classes, self.num_classes)
        if not (training and count):
            return self.prior_s.log_prob(z_s), tf.maximum(label, 0)
        seed = replicas.step_seed(self.seed_generator)
        return self.prior_s.sampled_log_prob(z_s, label, count, seed)

    def _joint_losses(self, x, label, seed, training):
        """All other losses: {name: tensor [batch]}."""
        given, label = label, self.label_or_prediction(x, label)
        z_s, of_z_s = self._z_s_to_decode(x, given, label, seed, training)
        code, of_code = self._code_to_decode(x, z_s, seed, training)
        logits = self.latent_classifier(code, training=training)
        decoded = self.decoder(tf.concat([z_s, code], axis=-1), training=training)
        values = {
            **of_z_s,
            **of_code,
            "reconstruction": self.likelihood.loss(x, decoded, training),
            "latent_classification": losses.latent_classification(logits, label),
            "latent_confusion": losses.latent_confusion(logits),
        }
        if self.discriminator is not None or self.recipe.has_cycle:
            samples = sampled(self, tf.size(label), seed, training)
        if self.recipe.has_cycle:
            values["cycle"] = cycle(self, samples, training)
        if self.discriminator is None:
            return values
        generated = [(decoded, label), samples]
        return values | adversarial_losses(self, (x, label), generated, seed, training)

    def _z_s_to_decode(self, x, given, label, seed, training):
        """The z_s that the decoder is trained on, and its losses."""
        if not self.recipe.decodes_class_vectors:
            encoded = self.encoder_s(x, training=training)
        if self.recipe.bounded:
            of_draws = tf.random.fold_in(seed, SEED_OF_Z_S, alg="philox")
            z_s = self.prior_s.sample(label, of_draws)
            # L_cls of draws from the label's component: small if the components do not overlap.
            separation = losses.classification(*self._log_prob(z_s, label, training))
            z_s, values = tf.stop_gradient(z_s), {"separation": separation}
        else:
            likelihood = self.prior_s.component(label).log_prob(encoded)
            z_s, values = encoded, {"joint_likelihood": -likelihood}
        if self.recipe.exemplars:
            of_partners = tf.random.fold_in(seed, SEED_OF_PARTNERS, alg="philox")
            partner, chosen = partners(given, self.recipe.exemplars, of_partners)
            z_s = tf.where(chosen[:, tf.newaxis], tf.gather(encoded, partner), z_s)
            values["exemplars"] = tf.cast(chosen, tf.float32)
        return z_s, values

    def _code_to_decode(self, x, z_s, seed, training):
        """The code of x that the decoder is trained on, and its losses."""
        mean, stddev, values = self._encode_u(x, seed, training)
        if self.flow is None:
            posterior = gaussian(mean, stddev)
            kl = losses.kl(posterior, standard_normal(self.latent_dim_u))
            return draw(posterior, seed), values | {"kl": kl}
        flow = in_training(self.flow)
        posterior = gaussian(flow(mean, z_s)[0], stddev)
        z_u = draw(posterior, seed)
        code, log_det = flow.inverse(z_u, z_s)
        kl = losses.kl_of_draw(code, z_u, posterior, log_det)
        of_flow = losses.flow_likelihood(*flow(tf.stop_gradient(code), z_s))
        return code, values | {"kl": kl, "flow_likelihood": of_flow}

    def _encode_u(self, x, seed, training):
        """Mean and deviation of q(z_u | x), and what E_U learns from moved images, if it does."""
        if not self.posed:
            return *self.encoder_u(x, training=training), {}
        of_moves = tf.random.fold_in(seed, SEED_OF_MOVES, alg="philox")
        *posterior, found = poses.encoded_with_moves(
            self.encoder_u, x, of_moves, training, every=poses.MOVED_IN_JOINT_STEPS
        )
        return *posterior, {"equivariance": found}

    def _test_losses(self, x, label):
        mixture = self._mixture_losses(x, label, training=False)
        return mixture | self._joint_losses(x, label, replicas.TEST_SEED, training=False)
