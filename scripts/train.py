#!/usr/bin/env python3
"""Trains a model on a data set, then measures it and draws what it has learnt.

Without arguments: the bundled handwritten digits, into runs/digits.
"""

import argparse

from dvae_tf.commands.command_line import STOPPED, Parser, run


def loss_weight(text):
    name, _, weights = text.partition("=")
    first, *more = map(float, weights.split(","))
    return name, [first, *more] if more else first


def json_file(path):
    from dvae_tf.files import read_json

    try:
        return dict(read_json(path))
    except (OSError, ValueError, TypeError) as error:
        message = f"{path} is no JSON file of arguments; give one as scripts/tune.py writes"
        raise argparse.ArgumentTypeError(message) from error


def parse_arguments():
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--dataset",
        default="digits",
        help="three_moons, shapes, digits, folder:PATH, npz:PATH, or a name of TensorFlow Datasets "
        "such as mnist, fashion_mnist, svhn_cropped, cifar10 (default: digits)",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--model",
        help="disentangled_vae_gan, disentangled_vae, or a baseline: cvae, cgan, cvae_gan "
        "(default: disentangled_vae_gan)",
    )
    choice.add_argument(
        "--gan",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="disentangled_vae_gan, or disentangled_vae: without the discriminator (default: with)",
    )
    parser.add_argument(
        "--preset",
        default="compact",
        help="toy, compact, paper, or 'compact with width=2' (default: compact)",
    )
    parser.add_argument(
        "--recipe",
        default="balanced",
        help="balanced; paper: as published; one with other numbers or without ingredients, "
        "such as 'balanced with kl=0.5 without flow'; or a JSON file of what differs from one: "
        "docs/method.md (default: balanced)",
    )
    parser.add_argument(
        "--epochs",
        type=int,
        help="passes over the data; small data is passed over several times an epoch, until that "
        "has 100 steps (default: 40)",
    )
    parser.add_argument("--batch-size", type=int, default=96, help="examples a step (default: 96)")
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    parser.add_argument("--size", type=int, help="side that images are resized to, in pixels")
    parser.add_argument(
        "--loss-weights",
        nargs="+",
        type=loss_weight,
        default=[],
        metavar="LOSS=WEIGHT",
        help="in place of the recipe's, such as kl=0.5 likelihood=1; kl=0,1,1 moves along a line "
        "from 0 to 1 in the first half of the training and stays there",
    )
    parser.add_argument(
        "--variance-decay-epochs",
        type=int,
        help="epochs after which the learning rate of the mixture's variances falls tenfold "
        "(default: never; paper: 10, or as many more as make 6,250 steps)",
    )
    for code in ("s", "u"):
        parser.add_argument(
            f"--latent-dim-{code}", type=int, help=f"size of z_{code} (default: the preset's)"
        )
    parser.add_argument(
        "--labelled",
        type=float,
        default=1.0,
        help="share of the training examples that keep their label (default: 1)",
    )
    parser.add_argument(
        "--dtype-policy",
        metavar="POLICY",
        help="Keras's, such as mixed_bfloat16, which is faster where the processor or the GPU "
        "knows it (default: float32)",
    )
    parser.add_argument("--output", help="folder of the run (default: runs/DATASET)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --output, by default the newest; its own arguments hold, but "
        "--epochs may be raised",
    )
    parser.add_argument(
        "--strategy",
        help="mirrored: all GPUs of this machine; multi_worker: several machines, one process "
        "each (default: one device)",
    )
    parser.add_argument(
        "--workers",
        nargs="+",
        metavar="HOST:PORT",
        help="all workers, the same on each (default: TF_CONFIG)",
    )
    parser.add_argument("--worker-index", type=int, help="which of them this process is, from 0")
    parser.add_argument(
        "--settings",
        type=json_file,
        default={},
        metavar="FILE",
        help="JSON file of arguments in place of the defaults, such as scripts/tune.py's best.json",
    )
    arguments = vars(parser.parse_args())
    unknown = sorted(set(arguments["settings"]) - set(arguments))
    if unknown:
        parser.error(f"--settings: there is no argument {unknown[0]!r}; see --help")
    parser.set_defaults(**arguments["settings"])
    return parser.parse_args()


def main(arguments):
    from dvae_tf.commands import train as training
    from dvae_tf.commands.devices import make_strategy

    strategy = make_strategy(arguments.strategy, arguments.workers, arguments.worker_index)
    if arguments.resume:
        report = training.resume(arguments.output, arguments.epochs, strategy=strategy)
    else:
        report = training.train(
            dataset=arguments.dataset,
            model=arguments.model
            or ("disentangled_vae_gan" if arguments.gan else "disentangled_vae"),
            preset=arguments.preset,
            recipe=arguments.recipe,
            epochs=40 if arguments.epochs is None else arguments.epochs,
            batch_size=arguments.batch_size,
            seed=arguments.seed,
            size=arguments.size,
            loss_weights=dict(arguments.loss_weights),
            variance_decay_epochs=arguments.variance_decay_epochs,
            latent_dim_s=arguments.latent_dim_s,
            latent_dim_u=arguments.latent_dim_u,
            labelled=arguments.labelled,
            dtype_policy=arguments.dtype_policy,
            output=arguments.output,
            strategy=strategy,
        )
    return STOPPED if report is None else 0


if __name__ == "__main__":
    run(parse_arguments, main)
