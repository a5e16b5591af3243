"""An image that cannot be as it is declared is an error at the very field that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lang.data import python_list
from lang.diagnosis import explain
from lang.runtime.trampoline import call
from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"
HEAD = """\
(use-modules (gnu) (gnu image) (gnu system image) (guix platforms x86) (guix platforms arm))
(define root root-partition)
"""
OS = """\
(use-service-modules networking)
(define os
  (operating-system
    (host-name "box")
    (timezone "Europe/Berlin")
    (bootloader (bootloader-configuration (bootloader grub-bootloader)))
    (file-systems (list (file-system (device "/dev/x") (mount-point "/") (type "ext4"))))
    (services (cons (service dhcp-client-service-type) %base-services))))
"""
GIB = 1 << 30
TYPE = '(type (uuid "0fc63daf-8483-4772-8e79-3d69d8477de4"))'
UUID = '(uuid "12345678-9abc-4def-8123-456789abcdef")'
GPT = "(partition-table-type 'gpt) "

# (what the field is said to be, the declaration with ^ before the field)
FIELDS = [
    # labels
    ("16 are allowed", '(partitions (list root (partition ^(label "seventeen letters"))))'),
    (
        "11 are allowed",
        '(partitions (list root (partition ^(label "twelve bytes") (file-system "vfat"))))',
    ),
    (
        "FAT does not allow",
        '(partitions (list root (partition (file-system "fat16") ^(label "a.b"))))',
    ),
    (
        "15 are allowed",
        f'(partitions (list root (partition (file-system "erofs") ^(label "{"x" * 16}"))))',
    ),
    (
        "no file system that could have a label",
        '(partitions (list root (partition (file-system "unformatted") (size 512) ^(label "x"))))',
    ),
    (
        "32 are allowed",
        f'(partitions (list root (partition (file-system "iso9660") ^(label "{"x" * 33}"))))',
    ),
    (
        "no UUID: it is known by its label",
        f'(partitions (list root (partition (file-system "iso9660") ^(uuid {UUID}))))',
    ),
    # sizes
    ("53,248 too few", '(partitions (list root (partition (file-system "iso9660") ^(size 4096))))'),
    ("enough", '(partitions (list root (partition (file-system "fat32") ^(size 1048576))))'),
    ("262144 are the least", "(partitions (list root (partition ^(size 4096))))"),
    ("a number of bytes", "(partitions (list root (partition ^(size 0))))"),
    ("a number of bytes", "(partitions (list root (partition ^(size 67108864.0))))"),
    ("at most 16 TiB", f"{GPT}(partitions (list root (partition ^(size {1 << 60}))))"),
    ("at most 16 TiB", f"{GPT}^(size {1 << 70}) (partitions (list root))"),
    ("beyond 16 TiB", f"{GPT}(partitions (list root (partition ^(offset {1 << 44}))))"),
    ("no size of its own", '(partitions (list root (partition ^(file-system "swap"))))'),
    ("no size of its own", '(partitions (list root (partition ^(file-system "unformatted"))))'),
    (
        "4 bytes too few",
        '(partitions (list root (partition (file-system "unformatted") ^(size 512)'
        ' (initializer (plain-file "blob" (make-string 516 #\\x))))))',
    ),
    # flags
    (
        "a second partition has the flag boot",
        "(partitions (list root (partition ^(flags '(boot)))))",
    ),
    (
        "a second partition has the flag esp",
        f"{GPT}(partitions (list esp-partition root"
        """ (partition (file-system "vfat") ^(flags '(esp)))))""",
    ),
    ("a second partition has the flag boot", "^(partitions (list root root))"),
    ("no partition with the flag boot", "^(partitions (list esp-partition))"),
    ("flags: boot, esp", "(partitions (list root (partition ^(flags '(bootable)))))"),
    (
        "only the last partition",
        "(partitions (list (partition ^(flags '(boot grow))) (partition)))",
    ),
    (
        "fat32 cannot grow",
        '(partitions (list root (partition (file-system "fat32") ^(flags \'(grow)))))',
    ),
    ("cannot store the flag no-auto", "(partitions (list root (partition ^(flags '(no-auto)))))"),
    (
        "no use for more room",
        "(volatile-root? #t) (partitions (list (partition ^(flags '(boot grow)))))",
    ),
    # places
    ("a multiple of 512", "(partitions (list root (partition ^(offset 1000))))"),
    ("a multiple of 512", "(partitions (list root (partition ^(alignment 1000))))"),
    (
        "the one before ends at 3145728",
        "(partitions (list (partition (size 2097152) (flags '(boot)))"
        " (partition ^(offset 2097152))))",
    ),
    (
        "the one before ends at 9437184",
        "(partitions (list (partition (offset 9437184) (flags '(boot)))"
        " (partition ^(offset 1048576))))",
    ),
    ("table ends at 17408", f"{GPT}(partitions (list (partition ^(offset 4096) (flags '(boot)))))"),
    ("too few", f"^(size 1048576) (partitions (list root (partition (size {GIB}))))"),
    ("beyond 2 TiB", f"(partitions (list root (partition ^(size {3000 * GIB}))))"),
    ("more than 2 TiB", f"^(size {3000 * GIB}) (partitions (list root))"),
    (
        "holds 4 partitions",
        "(partitions (list root (partition) (partition) (partition) ^(partition)))",
    ),
    # entries of tables
    ("at most 36 characters", f'{GPT}(partitions (list root (partition ^(name "{"x" * 37}"))))'),
    ("has no names", '(partitions (list root (partition ^(name "x"))))'),
    ("has no UUIDs", f"(partitions (list root (partition ^(partition-uuid {UUID}))))"),
    ("number from 1 to 255", f"(partitions (list root (partition ^{TYPE})))"),
    ("in a GPT is a UUID", f"{GPT}(partitions (list root (partition ^(type 131))))"),
    (
        "FAT file system, not ext4",
        f'{GPT}(partitions (list root (partition (flags \'(esp)) ^(file-system "ext4"))))',
    ),
    (
        "8-4-4-4-12",
        f'{GPT}(partitions (list root (partition ^(partition-uuid (uuid "1234-ABCD" \'fat)))))',
    ),
    ("GPT type", '(partitions (list root (partition ^(type (uuid "1234-ABCD" \'fat)))))'),
    (
        "the same UUID",
        f"(partitions (list root (partition (uuid {UUID})) (partition ^(uuid {UUID}))))",
    ),
    (
        "the same UUID",
        f"{GPT}(partitions (list root (partition (partition-uuid {UUID}))"
        f" (partition ^(partition-uuid {UUID}))))",
    ),
    (
        "the same name",
        f'{GPT}(partitions (list root (partition (name "a")) (partition ^(name "a"))))',
    ),
    (
        "the same label",
        '(partitions (list root (partition ^(label "kiln-root"))))',
    ),
    # roots
    (
        "cannot be vfat: it has to hold",
        '(partitions (list (partition (inherit root) ^(file-system "vfat"))))',
    ),
    (
        "cannot be erofs: what is written",
        '(volatile-root? #f) (partitions (list (partition (inherit root) ^(file-system "erofs"))))',
    ),
    # file systems
    ("one of ext2", '(partitions (list root (partition ^(file-system "ntfs"))))'),
    (
        "not a UUID like this",
        f'(partitions (list root (partition (file-system "fat32") ^(uuid {UUID}))))',
    ),
    (
        "no UUID of this kind",
        '(partitions (list root (partition ^(uuid (uuid "1234-ABCD" \'fat)))))',
    ),
    (
        "cannot hold files",
        '(partitions (list root (partition (file-system "swap") (size 1048576)'
        " ^(initializer #~(lambda (root) #t)))))",
    ),
    (
        "casefold is none of",
        '(partitions (list root (partition ^(file-system-options \'("-O" "casefold")))))',
    ),
    (
        "said by the partition's field label",
        '(partitions (list root (partition ^(file-system-options \'("-L" "x")))))',
    ),
    ("list of strings", "(partitions (list root (partition ^(file-system-options '(-m 1)))))"),
    (
        "has no file system",
        '(partitions (list root (partition (file-system "unformatted") (size 512)'
        ' ^(file-system-options \'("-x")))))',
    ),
    (
        "this is one file",
        '(partitions (list root (partition ^(initializer (plain-file "a" "b")))))',
    ),
    (
        "this is one file",
        f'(partitions (list root (partition ^(initializer (local-file "{__file__}")))))',
    ),
    (
        "not a directory",
        '(partitions (list root (partition (file-system "unformatted")'
        ' ^(initializer (local-file "/" #:recursive? #t)))))',
    ),
    # images
    ("a symbol of letters", "^(name 'a/b) (partitions (list root))"),
    ("a symbol of letters", '^(name "") (partitions (list root))'),
    ("a number of one or more", "(format 'docker) ^(max-layers 2.0)"),
    ("cannot be made yet", "^(platform aarch64-linux) (partitions (list root))"),
    ("holds all of its files", "^(shared-store? #t) (partitions (list root))"),
    ("mbr, gpt, hybrid", "^(partition-table-type 'apm) (partitions (list root))"),
    ("a number of one or more", "(format 'docker) ^(max-layers 0)"),
    ("formats docker and oci", "^(max-layers 9) (partitions (list root))"),
    ("only disks and ISOs have partitions", "(format 'oci) ^(partitions (list root))"),
    ("compressed inside", "(format 'vmdk) ^(compression? #f) (partitions (list root))"),
    ("gzip or zstd, not by xz", "(format 'oci) ^(compression 'xz)"),
    ("only disks have a size", "(format 'tarball) ^(size 1048576)"),
    ("only disks and ISOs have partitions", "(inherit mbr-disk-image) ^(format 'docker)"),
    ("cannot be written to", "(format 'iso9660) ^(volatile-root? #f) (partitions (list root))"),
    (
        "does not honour initializer",
        "(format 'iso9660) (partitions (list (partition (inherit root)"
        " ^(initializer #~(lambda (root) #t)))))",
    ),
    (
        "does not honour size",
        "(format 'iso9660) (partitions (list (partition (inherit root) ^(size 1048576))))",
    ),
    ("one partition", "(format 'iso9660) ^(partitions (list root (partition)))"),
    (
        "at most 32 bytes, this one 33",
        "(format 'iso9660) (partitions (list (partition (flags '(boot))"
        f' ^(label "{"x" * 33}"))))',
    ),
    ("which has none", "(format 'iso9660) (partitions (list ^(partition (flags '(boot)))))"),
]


@pytest.fixture(scope="module")
def session() -> Session:
    """One for all: what a declaration defines is in a module of its own."""
    return Session([STDLIB], library_roots=[STDLIB])


def checked(session: Session, file: Path) -> Any:
    """The image that the file declares, checked as before a build."""
    image = session.eval_text(file.read_text(), str(file), session.user_module())
    check = session.value(("gnu", "system", "partitions"), "check-image")
    call(check, image)
    return image


@pytest.mark.parametrize(("message", "fields"), FIELDS, ids=range(len(FIELDS)))
def test_the_error_is_at_the_field(
    session: Session, tmp_path: Path, message: str, fields: str
) -> None:
    session.import_module(("gnu", "system", "partitions"))
    text = f"{HEAD}(image\n  {fields})\n"
    offset = text.index("^")
    file = tmp_path / "image.scm"
    file.write_text(text.replace("^", "", 1))
    with pytest.raises(Exception) as caught:
        checked(session, file)
    diagnosis = explain(caught.value, session.sources, tuple, lambda _: (), session.advice)
    before = text[:offset]
    assert message in diagnosis.message
    location = diagnosis.location
    assert location is not None
    assert (Path(location.file).name, location.line, location.column) == (
        "image.scm",
        before.count("\n") + 1,
        offset - before.rindex("\n"),
    )


def test_an_image_without_a_system_is_an_error_where_it_says_so(
    session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "image.scm"
    before = f"{HEAD}(system-image (image (inherit efi-disk-image)\n  "
    file.write_text(f"{before}(operating-system #f)))\n")
    with pytest.raises(Exception, match="no operating system") as caught:
        checked(session, file)
    location = explain(caught.value, session.sources, tuple, lambda _: (), session.advice).location
    assert location is not None
    assert (location.line, location.column) == (before.count("\n") + 1, 3)


# (what is said, the options, the image's own fields)
OPTIONS = [
    (
        "--label: the label of an ISO has at most 32",
        f'#:label "{"x" * 33}"',
        "(inherit iso9660-image)",
    ),
    (
        "--label: ext4: ",
        f'#:label "{"x" * 17}"',
        '(partitions (list root (partition (label "a"))))',
    ),
    ("--image-size: only disks", "#:size 1048576", "(inherit docker-image)"),
    ("--image-size: the partitions need", "#:size 65536", f"(inherit mbr-disk-image) (size {GIB})"),
    ("--image-size: an MBR", f"#:size {3 << 40}", "(inherit mbr-disk-image)"),
]


@pytest.mark.parametrize(("message", "options", "fields"), OPTIONS)
def test_what_an_option_causes_names_the_option(
    session: Session, tmp_path: Path, message: str, options: str, fields: str
) -> None:
    file = tmp_path / "image.scm"
    made = f"(image (operating-system os) {fields})"
    file.write_text(f"{HEAD}{OS}(declaration->derivation {made} {options})\n")
    with pytest.raises(Exception) as caught:
        checked(session, file)
    diagnosis = explain(caught.value, session.sources, tuple, lambda _: (), session.advice)
    assert diagnosis.message.startswith(message)


def test_options_are_not_blamed_for_what_is_written(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "image.scm"
    made = """(image (operating-system os)
  (partitions (list root (partition
  (label "seventeen letters")))))"""
    text = f'{HEAD}{OS}(declaration->derivation {made} #:label "x" #:size {GIB})\n'
    file.write_text(text)
    with pytest.raises(Exception, match='"ext4: ') as caught:
        checked(session, file)
    location = explain(caught.value, session.sources, tuple, lambda _: (), session.advice).location
    assert location is not None
    assert location.line == text[: text.index("(label")].count("\n") + 1


@pytest.mark.parametrize(
    ("loader", "starts"), [("grub-efi-bootloader", False), ("systemd-boot-bootloader", True)]
)
def test_a_root_of_erofs_needs_a_loader_that_does_not_read_it(
    session: Session, tmp_path: Path, loader: str, starts: bool
) -> None:
    file = tmp_path / "image.scm"
    file.write_text(
        f"""{HEAD}
(use-modules (gnu bootloader systemd-boot))
{OS.replace("grub-bootloader", loader)}
(image (inherit (image-with-os efi-disk-image os)) (volatile-root? #t)
  (partitions (list esp-partition (partition (inherit root) (file-system "erofs")))))
"""
    )
    if starts:
        checked(session, file)
    else:
        with pytest.raises(Exception, match="GRUB does not find the kernel"):
            checked(session, file)


@pytest.mark.parametrize(
    ("field", "hint", "shown"),
    [
        ("(format 'qcow2)", "did you mean 'compressed-qcow2?", "not qcow2"),
        ('(partitions (list (partition (file-system "etx4"))))', "did you mean ext4?", '"etx4"'),
        ("(partitions (list (partition (flags '(bot)))))", "did you mean boot?", "one: bot"),
        ('(size "4G")', "4 GiB are (* 4 (expt 2 30))", 'not "4G"'),
        ("(partitions (list os))", None, "not one: #<<operating-system> …>"),
    ],
)
def test_what_was_meant_is_a_hint(
    session: Session, tmp_path: Path, field: str, hint: str | None, shown: str
) -> None:
    file = tmp_path / "image.scm"
    file.write_text(f"{HEAD}{OS}(image {field})\n")
    with pytest.raises(Exception) as caught:
        checked(session, file)
    diagnosis = explain(caught.value, session.sources, tuple, lambda _: (), session.advice)
    assert diagnosis.hint == hint
    assert diagnosis.message.endswith(shown)


def test_partitions_that_can_be_are_no_error(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "image.scm"
    file.write_text(
        HEAD
        + """(image
  (partition-table-type 'gpt)
  (platform x86_64-linux)
  (volatile-root? #f)
  (partitions
    (list (partition (file-system "unformatted") (offset 32768) (size 65536))
          (partition (inherit esp-partition) (uuid (uuid "1234-ABCD" 'fat))
                     (file-system-options '("-s" "1")))
          (partition (file-system "swap") (size 1048576) (label "sixteen letters!"))
          (partition (file-system "iso9660") (label "A CD, of sorts") (size 1048576))
          (partition (file-system "unformatted") (size 1048576) (name "_empty"))
          (partition (file-system "unformatted") (size 1048576) (name "_empty"))
          (partition (inherit root) (file-system-options '("-O" "^metadata_csum,^64bit"))
                     (flags '(boot grow))))))
"""
    )
    checked(session, file)


def test_a_type_that_makes_no_image_is_an_error_at_its_constructor(
    session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "type.scm"
    before = f"{HEAD}{OS}(define bad (image-type (name 'bad)\n  "
    file.write_text(f"{before}(constructor (lambda (os) 5))))\n(os->image os #:type bad)\n")
    with pytest.raises(Exception) as caught:
        checked(session, file)
    diagnosis = explain(caught.value, session.sources, tuple, lambda _: (), session.advice)
    assert "bad gives no image" in diagnosis.message
    assert diagnosis.location is not None
    assert (diagnosis.location.line, diagnosis.location.column) == (before.count("\n") + 1, 3)


def test_images_are_put_together_as_guixs_manual_says(session: Session, tmp_path: Path) -> None:
    file = tmp_path / "image.scm"
    file.write_text(
        HEAD
        + OS
        + """
(define template
  (image-without-os
    (format 'compressed-qcow2)
    (partition-table-type 'gpt)
    (volatile-root? #f)
    (partitions
      (list (partition (inherit esp-partition) (uuid (uuid "1234-ABCD" 'fat))
                       (partition-uuid (uuid "12345678-9abc-4def-8123-456789abcdef")))
            (partition (label root-label) (flags '(boot))
                       (initializer (gexp initialize-root-partition)))))))
(define board-image-type
  (image-type (name 'board)
              (constructor (lambda (os) (image-with-os (raw-with-offset-disk-image 65536) os)))))
(define (root-device image)
  (file-system-device (operating-system-root-file-system (operating-system-for-image image))))
(define board (os+platform->image os x86_64-linux #:type board-image-type))
(define labelled (image-with-label (image-with-os template os) "my-root"))
(list (image-operating-system template)
      (file-system-label->string (root-device labelled))
      (partition-offset (car (image-partitions board)))
      (uuid->string (partition-partition-uuid (car (image-partitions template))))
      (eq? (image-type-name (lookup-image-type-by-name 'qcow2)) 'qcow2)
      (image? (system-image board)))
"""
    )
    values = session.eval_text(file.read_text(), str(file), session.user_module())
    assert python_list(values) == [
        False,
        "my-root",
        65536,
        "12345678-9abc-4def-8123-456789abcdef",
        True,
        True,
    ]


def test_a_container_that_shares_its_hosts_network_sets_up_none(
    session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "image.scm"
    names = """
(define (names shared?)
  (let ((image (image (inherit (image-with-os docker-image os)) (shared-network? shared?))))
    (map (lambda (service) (service-type-name (service-kind service)))
         (operating-system-user-services (operating-system-for-image image)))))
(list (names #t) (names #f))
"""
    file.write_text(HEAD + OS + names)
    shared, own = python_list(session.eval_text(file.read_text(), str(file), session.user_module()))
    left = {name.name for name in python_list(own)} - {name.name for name in python_list(shared)}
    assert left == {"dhcp-client"}
