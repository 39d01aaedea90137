"""Queries."""

from typing import Any

from peewee import ModelSelect, fn

from .database import db
from .models import Author, Comment, Post, PostTag, Tag


def get_posts(tag: str | None = None) -> "ModelSelect[Post]":
    """Return the posts, the latest first, each with the number of its comments."""
    comments = Comment.select(fn.COUNT(Comment.id)).where(Comment.post == Post.id)
    posts = Post.select(Post, comments.alias("comment_count"))
    if tag is not None:
        tagged = PostTag.select(PostTag.post).join(Tag).where(Tag.name == tag)
        posts = posts.where(Post.id.in_(tagged))
    return posts.order_by(Post.published.desc(), Post.id.desc())


@db.atomic()
def create_post(tags: set[str], **columns: Any) -> Post:
    """Create a post, and the tags that are missing."""
    post = Post.create(**columns)
    if tags:
        Tag.insert_many({"name": name} for name in tags).on_conflict_ignore().execute()
        post.tags.add(Tag.select().where(Tag.name.in_(tags)))
    return get_posts().where(Post.id == post).get()


def get_comments(post_id: int) -> "ModelSelect[Comment]":
    return Comment.select().where(Comment.post == post_id).order_by(Comment.id.desc())


def create_author(name: str) -> Author:
    return Author.create(name=name)


def create_comment(post_id: int, **columns: Any) -> Comment | None:
    """Create a comment; return None if its parent is of another post."""
    parent = columns["parent_id"]
    siblings = get_comments(post_id).where(Comment.id == parent)
    if parent is not None and not siblings.exists():
        return None
    return Comment.create(post=post_id, **columns)
